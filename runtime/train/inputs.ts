/** The arrays that a program is fed. */

import { type ModelProgram, type Progress, tokenCount } from "../../blocks/index.js";
import { type Graph, randomStream, type TypedArray, type Values } from "../../graph/index.js";

export interface MaskFeeds {
  /** Tokens seen, in mask order. [B, V] */
  readonly visible: Int32Array;
  /** The others. [B, N - V] */
  readonly hidden: Int32Array;
  /** Place of each token in [visible, hidden]. [B, N] */
  readonly restore: Int32Array;
  /** What a guided mask is fed besides. [B, numbers] */
  readonly draws?: Float32Array;
}

/** What a batch's masks depend on besides seed, epoch and samples. */
export interface MaskOptions {
  /** Of the batch, by name: one of them may be the mask's. */
  readonly fields?: Readonly<Record<string, TypedArray>>;
  /** Number of visible tokens, where that varies; absent: the largest. */
  readonly visible?: number;
}

/**
 * One mask for each sample; a sample has the same mask whenever it is seen in the same epoch. Where samples share one, that of the
 * first of them.
 */
export function sampleMasks(
  program: Pick<ModelProgram, "grid" | "mask" | "fields">,
  seed: number,
  epoch: number,
  samples: Int32Array,
  { fields = {}, visible: seen = program.mask.visible }: MaskOptions = {},
): MaskFeeds {
  const { guide, shared, sample: orderOf } = program.mask;
  const tokens = tokenCount(program.grid);
  const visible = new Int32Array(samples.length * seen);
  const hidden = new Int32Array(samples.length * (tokens - seen));
  const restore = new Int32Array(samples.length * tokens);
  const draws = new Float32Array(samples.length * (guide?.numbers ?? 0));
  const name = Object.entries(program.fields ?? {}).find(([, { kind }]) => kind === "mask")?.[0];
  const field = name === undefined ? undefined : fields[name];
  const length = (field?.length ?? 0) / samples.length;
  for (const [i, sample] of samples.entries()) {
    const [at, drawn] = shared ? [0, samples[0] as number] : [i, sample];
    const own = field?.subarray(at * length, (at + 1) * length);
    const random = randomStream(seed, "mask", epoch, drawn);
    const order = orderOf(random, own, seen);
    if (guide) draws.set(guide.draw(random), i * guide.numbers);
    visible.set(order.subarray(0, seen), i * seen);
    hidden.set(order.subarray(seen), i * (tokens - seen));
    for (const [place, token] of order.entries()) restore[i * tokens + token] = place;
  }
  return { visible, hidden, restore, ...(guide ? { draws } : {}) };
}

/** The number of visible tokens in a step. */
export const visibleAt = ({ mask }: Pick<ModelProgram, "mask">, seed: number, progress: Progress): number =>
  mask.varies?.count(progress, randomStream(seed, "mask", progress.step)) ?? mask.visible;

/** The scalars of a guided mask where training stands. */
export const movingFeeds = ({ mask }: Pick<ModelProgram, "mask">, progress: Progress): Values =>
  Object.fromEntries(Object.entries(mask.guide?.moving ?? {}).map(([name, at]) => [name, scalar(at(progress))]));

/** A scalar feed. */
export const scalar = (value: number): TypedArray => Float32Array.of(value);

/** What a graph is fed, out of all that there is. */
export const feedsFor = (graph: Graph, feeds: Values): Values =>
  Object.fromEntries([...graph.feeds.keys()].map((name) => [name, feeds[name] as TypedArray]));
