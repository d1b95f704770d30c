/**
 * Batches for training and for evaluation, prepared ahead by the pool; the same whatever the number of workers and
 * wherever a run begins. What was done to files beyond the recipe is told once.
 */

import type { Augment, ImageShape, SampleIndex } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Bound } from "../train/contract.js";
import type { Remark } from "./decode.js";
import { checkShare, type Filled, fillBatch } from "./fill.js";
import { checkFiles } from "./inspect.js";
import { batchOrder } from "./order.js";
import { openPool } from "./pool.js";
import type { Preparation } from "./prepare.js";
import type { Failed } from "./work.js";

export interface BatchesOptions {
  readonly index: SampleIndex;
  readonly augment: readonly Bound<Augment>[];
  readonly image: ImageShape;
  readonly batch: number;
  readonly seed: number;
  /** Paths of samples are relative to it. */
  readonly root: string;
  readonly workers: number;
  /** Told once of each broken file, and of each kind of file that needed more than decoding. */
  readonly note: (text: string) => void;
}

export interface TrainingBatch {
  /** [B, H, W, C]; overwritten by the next call of `next`. */
  readonly image: Float32Array;
  /** Indices as shuffled; the place of a broken file keeps its index. */
  readonly samples: Int32Array;
  readonly epoch: number;
}

export interface TrainingBatches {
  next(): Promise<TrainingBatch>;
  close(): Promise<void>;
}

export interface EvaluationBatch {
  /** [B, H, W, C]; beyond `count` whatever was there before. Overwritten after the next batch is asked for. */
  readonly image: Float32Array;
  /** Class of each sample; -1 without one. [count] */
  readonly labels: Int32Array;
  /** Indices in the data set. [count] */
  readonly samples: Int32Array;
  readonly count: number;
}

/** Batches prepared beyond the one in use. */
const ahead = 2;
/** Raw samples of at most this many numbers are prepared in this thread: sending them would cost more. */
const smallSample = 64 * 64 * 3;

/**
 * Batches from number `start`, counted over all epochs, in shuffled order and without end.
 * Throws `run/channels` and what reading the first files throws.
 */
export async function trainingBatches(options: BatchesOptions & { readonly start: number }): Promise<TrainingBatches> {
  const { index, batch, seed, start } = options;
  invariant(index.length >= batch, `${index.length} samples fill no batch of ${batch}`);
  await checkFiles(index, options.image, options.root);
  const order = batchOrder(index.length, batch, seed);
  return prefetched(options, "train", order, start, Infinity);
}

/**
 * All samples once, in their own order, without random augmentation; the last batch may be smaller. `limit`: at most so
 * many, the first ones. Throws as `trainingBatches`.
 */
export async function* evaluationBatches(
  options: Omit<BatchesOptions, "seed"> & { readonly limit?: number },
): AsyncGenerator<EvaluationBatch> {
  const { index, batch } = options;
  await checkFiles(index, options.image, options.root);
  const total = Math.min(index.length, options.limit ?? Infinity);
  const count = Math.ceil(total / batch);
  const order = (k: number) => {
    const samples = Int32Array.from({ length: Math.min(batch, total - k * batch) }, (_, i) => k * batch + i);
    return { epoch: 0, samples };
  };
  const source = prefetched({ ...options, seed: 0 }, "evaluate", order, 0, count);
  try {
    for (let k = 0; k < count; k++) {
      const { image, samples } = await source.next();
      const labels = Int32Array.from(samples, (i) => index.sample(i).label ?? -1);
      yield { image, labels, samples, count: samples.length };
    }
  } finally {
    await source.close();
  }
}

type Order = (batch: number) => { readonly epoch: number; readonly samples: Int32Array };

/** Keeps `ahead` batches in preparation, each in one of a few buffers that take turns. */
function prefetched(
  options: BatchesOptions,
  mode: Preparation["mode"],
  order: Order,
  start: number,
  end: number,
): TrainingBatches {
  const { index, augment, image, seed, root, batch } = options;
  const pool = openPool(usefulWorkers(index, options.workers), { augment, image, seed, mode });
  const depth = pool.workers === 0 ? 0 : ahead;
  const bytes = batch * image.height * image.width * image.channels * Float32Array.BYTES_PER_ELEMENT;
  const buffers = Array.from({ length: depth + 1 }, () => new SharedArrayBuffer(bytes));
  // A copy of the batch in use: native libraries refuse shared memory, and it costs little beside a step.
  const own = new Float32Array(bytes / Float32Array.BYTES_PER_ELEMENT);
  const listen = listener(options);
  const queue: Promise<{
    readonly buffer: SharedArrayBuffer;
    readonly wanted: ReturnType<Order>;
    readonly filled: Filled;
  }>[] = [];
  let asked = start;
  const ask = (): void => {
    if (asked >= end) return;
    const buffer = buffers[asked % buffers.length] as SharedArrayBuffer;
    const wanted = order(asked++);
    const promise = fillBatch(pool, index, root, wanted, buffer).then((filled) => ({ buffer, wanted, filled }));
    // It is looked at when its turn comes.
    promise.catch(() => undefined);
    queue.push(promise);
  };
  for (let k = 0; k < depth; k++) ask();
  return {
    async next() {
      ask();
      const { buffer, wanted, filled } = await (queue.shift() as (typeof queue)[number]);
      listen(filled);
      own.set(new Float32Array(buffer));
      return { image: own, ...wanted };
    },
    close: () => pool.close(),
  };
}

function usefulWorkers(index: SampleIndex, workers: number): number {
  const first = index.sample(0);
  return first.kind === "pixels" && first.pixels.length <= smallSample ? 0 : workers;
}

const remarkWords: Record<Remark, string> = {
  grey: "is grey and was repeated over the colour channels, as all grey files are",
  transparent: "has transparency and was laid over white, as all such files are",
};

/** Tells what is new in a batch. Batches come here in their order, so what is told does not depend on the workers. */
function listener({ index, note }: BatchesOptions): (filled: Filled) => void {
  const broken = new Map<string, Failed>();
  const remarked = new Set<Remark>();
  return ({ failed, remarks }) => {
    for (const failure of failed) {
      if (broken.has(failure.path)) continue;
      broken.set(failure.path, failure);
      note(`${failure.path} cannot be decoded and the next sample takes its place: ${failure.why}`);
    }
    checkShare([...broken.values()], index.length);
    for (const { remark, path } of [...remarks].sort((a, b) => a.place - b.place)) {
      if (remarked.has(remark)) continue;
      remarked.add(remark);
      note(`${path} ${remarkWords[remark]}`);
    }
  };
}
