/**
 * Batches for training and for evaluation, prepared ahead by the pool; the same whatever the number of workers and
 * wherever a run begins. What was done to files beyond the recipe is told once.
 */

import {
  type BoundField,
  type ImageObject,
  isOfPictures,
  labelFlags,
  type ModelProgram,
  oneLine,
  type SampleIndex,
  type View,
} from "../../blocks/index.js";
import { invariant, randomStream, shuffled, sizeOf } from "../../graph/index.js";
import type { Training } from "../train/contract.js";
import { allowance } from "./allowance.js";
import { viewOf } from "./fields.js";
import { checkShare, type DrawOther, type Filled, fillBatch } from "./fill.js";
import type { Remark } from "./image/channels.js";
import { objectsSeen } from "./image/objects.js";
import { checkFiles } from "./inspect.js";
import { batchOrder } from "./order.js";
import { openPool } from "./pool.js";
import {
  type FieldArrays,
  numbersOf,
  numbersPrepared,
  type Preparation,
  preparedOf,
  streamsOf,
} from "./preparation.js";
import type { BatchBuffers, Failed } from "./work.js";

export interface BatchesOptions {
  readonly index: SampleIndex;
  readonly augment: Training["augment"];
  readonly arrays: ModelProgram["arrays"];
  /** The views that training sees in place of arrays; if absent, it sees the arrays. */
  readonly streams?: ModelProgram["views"];
  readonly batch: number;
  readonly seed: number;
  /** Paths of samples are relative to it. */
  readonly root: string;
  readonly workers: number;
  /** Told once of each file that is broken or does not fit, and of each kind of file that needed more than decoding. */
  readonly note: (text: string) => void;
}

/** Arrays of several samples, by name. */
export type BatchArrays = Readonly<Record<string, Float32Array>>;

export interface TrainingBatch {
  /** By name, [B, ...axes, C], of views [kB, ...axes, C]; overwritten by the next call of `next`. */
  readonly arrays: BatchArrays;
  /** What was computed of each sample beside its array, by name, [B, ...]; overwritten likewise. */
  readonly fields: FieldArrays;
  /** Indices as shuffled; the place of a broken file keeps its index. */
  readonly samples: Int32Array;
  readonly epoch: number;
}

export interface TrainingBatches {
  next(): Promise<TrainingBatch>;
  close(): Promise<void>;
}

export interface EvaluationBatch {
  /** By name, [B, ...axes, C]; beyond `count` whatever was there before. Overwritten after the next batch is asked for. */
  readonly arrays: BatchArrays;
  /** Class of each sample, also where another sample took a place; -1 without one, or where samples have several. [count] */
  readonly labels: Int32Array;
  /** Where samples have any number of classes: 1 for each of them, [count, classes]. */
  readonly several?: Uint8Array;
  /** The number of each sample, where the data have such. [count] */
  readonly values?: Float64Array;
  /** What was computed of each sample beside its array, where that was asked for. */
  readonly fields: FieldArrays;
  /** Objects in the sample in a place, where they are in its array; null: the data name none. */
  readonly objects: (place: number) => readonly ImageObject[] | null;
  /** Indices in the data set. [count] */
  readonly samples: Int32Array;
  /** Indices of what the arrays show: of the next sample in the place of a broken file. [count] */
  readonly shown: Int32Array;
  readonly count: number;
}

/** Batches prepared beyond the one in use: with workers, and in this thread while a step is computed in another. */
const ahead = { workers: 2, here: 1 } as const;
/** Raw samples of at most this many numbers are prepared in this thread where little is done with them: sending them would cost more. */
const smallSample = 64 * 64 * 3;

/** Where training batches begin, and in how many parts each comes. */
export interface TrainingOrder {
  /** Batches before the first, counted over all epochs. */
  readonly start: number;
  /** Each batch comes as so many; they hold `batch` samples each. */
  readonly parts?: number;
  /** Which of equal shares of the parts come; if absent, all parts. */
  readonly share?: { readonly which: number; readonly of: number };
  /** What is computed of each sample beside its array, by name; if absent, nothing. */
  readonly fields?: Readonly<Record<string, BoundField>>;
}

/**
 * Batches in shuffled order and without end, or their parts one after the other.
 * Throws `run/channels` and what reading the first files throws.
 */
export async function trainingBatches(options: BatchesOptions & TrainingOrder): Promise<TrainingBatches> {
  const { index, batch, seed, start, parts = 1, share = { which: 0, of: 1 }, fields = {} } = options;
  const own = parts / share.of;
  invariant(Number.isInteger(own), `${parts} parts of a batch have ${share.of} equal shares`);
  invariant(index.length >= batch * parts, `${index.length} samples fill no batch of ${batch * parts}`);
  await checkFiles(options);
  const whole = batchOrder(index.length, batch * parts, seed);
  const order: Order = (k) => {
    const { epoch, samples } = whole(Math.floor(k / own));
    const first = (share.which * own + (k % own)) * batch;
    return { epoch, samples: samples.subarray(first, first + batch) };
  };
  return prefetched({ ...options, fields, mode: "train", drawOther: othersIn(options) }, order, start * own, Infinity);
}

/** What is mixed with each sample of training, where an augmentation mixes recordings: any sample of the data. */
function othersIn({ index, augment, seed }: Pick<BatchesOptions, "index" | "augment" | "seed">): DrawOther {
  const mixing = augment.find(({ definition }) => definition.ownShare);
  if (!mixing) return () => null;
  return (epoch, sample) => {
    const random = randomStream(seed, "pairs", epoch, sample);
    const ownShare = mixing.definition.ownShare?.(mixing.values, random) ?? null;
    return ownShare === null ? null : { sample: random.integer(index.length), ownShare };
  };
}

/** A pass over the samples of training as it sees them: augmented at random and shuffled. */
export interface TrainingPass {
  readonly seed: number;
  readonly epoch: number;
}

/** So many parts in time and of pictures of each sample. */
export interface Views {
  readonly clips: number;
  readonly crops: number;
}

/** The views of a sample, clip by clip. */
const viewsOf = ({ clips, crops }: Views): readonly View[] =>
  Array.from({ length: clips * crops }, (_, i) => ({
    clip: { at: Math.floor(i / crops), of: clips },
    crop: { at: i % crops, of: crops },
  }));

interface RowOfView {
  readonly sample: number;
  readonly view: View;
}

/** A row for each view of each sample. */
function rowsOfViews(views: Views | ((sample: number) => readonly View[]), samples: number): readonly RowOfView[] {
  const alike = typeof views === "function" ? null : viewsOf(views);
  const of = typeof views === "function" ? views : () => alike as readonly View[];
  return Array.from({ length: samples }, (_, sample) => of(sample).map((view) => ({ sample, view }))).flat();
}

/**
 * All samples once, in their own order, without random augmentation; the last batch may be smaller. `limit`: at most so
 * many, the first ones. `pass`: with random augmentation instead, in shuffled order. `views`: each
 * sample in so many rows, one for each of them, or one for each that is given for it. `fields`: what is computed of each; if absent, nothing. Throws as `trainingBatches`.
 */
export async function* evaluationBatches(
  options: Omit<BatchesOptions, "seed"> & {
    readonly limit?: number;
    readonly pass?: TrainingPass;
    readonly views?: Views | ((sample: number) => readonly View[]);
    readonly fields?: Readonly<Record<string, BoundField>>;
  },
): AsyncGenerator<EvaluationBatch> {
  const { index, batch, pass, fields = {} } = options;
  await checkFiles(options);
  const shownSamples = Math.min(index.length, options.limit ?? Infinity);
  const rows = options.views && rowsOfViews(options.views, shownSamples);
  const total = rows?.length ?? shownSamples;
  const count = Math.ceil(total / batch);
  const { seed, epoch } = pass ?? { seed: 0, epoch: 0 };
  const all = pass ? shuffled(total, randomStream(seed, "shuffle", epoch)) : null;
  const order = (k: number) => {
    const places = Int32Array.from({ length: Math.min(batch, total - k * batch) }, (_, i) => k * batch + i);
    if (!rows) return { epoch, samples: all ? places.map((place) => all[place] as number) : places };
    const own = Array.from(places, (place) => rows[all ? (all[place] as number) : place] as RowOfView);
    return { epoch, samples: Int32Array.from(own, ({ sample }) => sample), views: own.map(({ view }) => view) };
  };
  const mode = pass ? "train" : "evaluate";
  const source = prefetched({ ...options, seed, fields, mode }, order, 0, count);
  try {
    for (let k = 0; k < count; k++) {
      const { arrays, fields: computed, samples, shown } = await source.next();
      const objects = (place: number) => {
        const sample = shown[place] as number;
        const { augment, arrays, root } = options;
        return objectsSeen(index.sample(sample), { epoch, sample }, { augment, arrays, root, seed, fields: {}, mode });
      };
      yield { arrays, fields: computed, ...labelsOf(index, shown), objects, samples, shown, count: samples.length };
    }
  } finally {
    await source.close();
  }
}

/** The labels of some samples as evaluation has them. */
function labelsOf(index: SampleIndex, shown: Int32Array): Pick<EvaluationBatch, "labels" | "several" | "values"> {
  const own = Array.from(shown, (i) => index.sample(i).label);
  const labels = Int32Array.from(own, (label) => (typeof label === "number" ? label : -1));
  const values = index.values ? { values: Float64Array.from(shown, index.values) } : {};
  if (!index.several) return { labels, ...values };
  return { labels, ...values, several: labelFlags(own, index.classes.length) };
}

type Order = (batch: number) => {
  readonly epoch: number;
  readonly samples: Int32Array;
  /** Of each sample in its place; if absent, the middle. */
  readonly views?: readonly View[];
};

interface Prefetched extends TrainingBatches {
  next(): Promise<TrainingBatch & Pick<Filled, "shown">>;
}

/** Keeps batches in preparation, each in one of a few buffers that take turns. */
function prefetched(
  options: BatchesOptions & Pick<Preparation, "fields" | "mode"> & { readonly drawOther?: DrawOther },
  order: Order,
  start: number,
  end: number,
): Prefetched {
  const { index, augment, arrays, streams, seed, root, fields, mode, drawOther = () => null } = options;
  const seen = streams ? { arrays, streams: streamsOf(streams) } : { arrays };
  const workers = usefulWorkers(options);
  // Whoever evaluates sees each sample once.
  const keeps = mode === "train" ? allowance(options, workers) : 0;
  const pool = openPool(workers, { augment, ...seen, seed, root, fields, mode }, keeps);
  const buffers = Array.from({ length: buffersFor(pool.workers) }, () => batchBuffers(options));
  const own = ownCopy(options);
  const listen = listener(options);
  const queue: Promise<{
    readonly filledBuffers: BatchBuffers;
    readonly wanted: ReturnType<Order>;
    readonly filled: Filled;
  }>[] = [];
  let asked = start;
  const ask = (): void => {
    if (asked >= end) return;
    const filledBuffers = buffers[asked % buffers.length] as BatchBuffers;
    const wanted = order(asked++);
    const promise = fillBatch(pool, index, root, wanted, { arrays, buffers: filledBuffers, drawOther }).then(
      (filled) => ({
        filledBuffers,
        wanted,
        filled,
      }),
    );
    // It is looked at when its turn comes.
    promise.catch(() => undefined);
    queue.push(promise);
  };
  for (let k = 1; k < buffers.length; k++) ask();
  return {
    async next() {
      ask();
      const { filledBuffers, wanted, filled } = await (queue.shift() as (typeof queue)[number]);
      listen(filled);
      return { ...own(filledBuffers), ...wanted, shown: filled.shown };
    },
    close: () => pool.close(),
  };
}

/** Batches that are held beside the one in use. */
export const buffersFor = (workers: number): number => (workers === 0 ? ahead.here : ahead.workers) + 1;

type BatchSize = Pick<BatchesOptions, "arrays" | "streams" | "batch"> & Pick<Preparation, "fields">;

/** Every number of a batch has four bytes. */
function batchBuffers(size: BatchSize): BatchBuffers {
  const memory = (numbers: number) => new SharedArrayBuffer(numbers * Float32Array.BYTES_PER_ELEMENT);
  return {
    arrays: Object.fromEntries(preparedOf(size).map((one) => [one.name, memory(size.batch * numbersPrepared(one))])),
    fields: Object.fromEntries(
      Object.entries(size.fields).map(([name, { shape }]) => [name, memory(size.batch * sizeOf(shape))]),
    ),
  };
}

/** Copies the batch in use: native libraries refuse shared memory, and it costs little beside a step. */
function ownCopy(size: BatchSize): (buffers: BatchBuffers) => Pick<TrainingBatch, "arrays" | "fields"> {
  const arrays = preparedOf(size).map(
    (one) => [one.name, new Float32Array(size.batch * numbersPrepared(one))] as const,
  );
  const fields = Object.entries(size.fields).map(([name, { shape, dtype }]) => {
    const count = size.batch * sizeOf(shape);
    return { name, dtype, own: dtype === "int32" ? new Int32Array(count) : new Float32Array(count) };
  });
  return (buffers) => {
    for (const [name, own] of arrays) own.set(new Float32Array(buffers.arrays[name] as SharedArrayBuffer));
    for (const { name, dtype, own } of fields) {
      own.set(viewOf(dtype, buffers.fields[name] as SharedArrayBuffer, 0, own.length));
    }
    return {
      arrays: Object.fromEntries(arrays),
      fields: Object.fromEntries(fields.map(({ name, own }) => [name, own])),
    };
  };
}

/**
 * Small samples of which neither pictures nor views are made, and from which nothing is computed, are prepared in this thread; a label is
 * not computed.
 */
export function usefulWorkers({
  index,
  augment,
  streams,
  workers,
  fields,
}: Pick<BatchesOptions, "index" | "augment" | "streams" | "workers"> & Pick<Preparation, "fields">): number {
  const length = numbersOf(index.sample(0)).reduce((sum, own) => sum + (own?.length ?? Number.POSITIVE_INFINITY), 0);
  const isSmall = length <= smallSample;
  const isComputed = Object.values(fields).some(({ kind, objects, map }) => kind !== "head" || objects || map);
  const isMade = augment.some(({ definition }) => definition.random && isOfPictures(definition));
  return isSmall && !isComputed && !isMade && !streams ? 0 : workers;
}

const remarkWords: Record<Remark, string> = {
  grey: "is grey and was repeated over the colour channels, as all grey files are",
  equal: "has colour channels of equal values and was read as grey, as all such files are",
  transparent: "has transparency and was laid over white, as all such files are",
  dark: "has 16 bits and no value above 4095, so it is nearly black; if files hold 12 bits, multiply them by 16 and save them again",
};

const skipped = ({ path, why, error }: Failed): string =>
  error === null
    ? `${path} cannot be decoded and the next sample takes its place: ${why}`
    : `${why}; the next sample takes its place`;

/** Tells what is new in a batch. Batches come here in their order, so what is told does not depend on the workers. */
function listener(options: BatchesOptions): (filled: Filled) => void {
  const { index } = options;
  const note = (text: string): void => options.note(oneLine(text));
  const broken = new Map<string, Failed>();
  const remarked = new Set<Remark>();
  return ({ failed, remarks }) => {
    for (const failure of failed) {
      if (broken.has(failure.path)) continue;
      broken.set(failure.path, failure);
      note(skipped(failure));
    }
    checkShare([...broken.values()], index.length);
    for (const { remark, path } of [...remarks].sort((a, b) => a.place - b.place)) {
      if (remarked.has(remark)) continue;
      remarked.add(remark);
      note(`${path} ${remarkWords[remark]}`);
    }
  };
}
