/** The memory of a training step, and into how many micro-batches a batch is cut so that a step fits into what is there. */

import { type ModelProgram, namedParameters, type Parameter, type ParameterTree } from "../blocks/index.js";
import { peakMemory, type Recompute, simplify, sizeOf } from "../graph/index.js";
import { trainingGraphs } from "./training-graphs.js";

/** Bytes of a step. */
export interface MemoryPlan {
  readonly batch: number;
  /** Samples that are computed at once. */
  readonly microBatch: number;
  readonly recompute: Recompute;
  readonly weights: number;
  readonly moments: number;
  /** Gradients summed over micro-batches; 0 where there is one. */
  readonly sums: number;
  /** What lives at the fullest moment besides those: activations, gradients, the micro-batch. */
  readonly working: number;
  readonly total: number;
  /** What a step may take, where it was asked to fit; `total` may still be more. */
  readonly room: number | null;
  /** Why larger micro-batches were not taken; null where somebody says how large they are, or all of the batch is one. */
  readonly bound: "memory" | "time" | null;
}

/**
 * How a batch is cut into micro-batches: not at all, as somebody says, or so that a step fits into `bytes` and a micro-batch, where
 * `flops` is there, needs no more of them in matrix products: between two of them a run can be stopped.
 */
export type Splitting =
  | { readonly by: "nothing" }
  | { readonly by: "size"; readonly samples: number }
  | { readonly by: "room"; readonly bytes: number; readonly flops?: number };

export interface MemoryOptions {
  readonly batch: number;
  /** Numbers that the optimizer keeps for each weight. */
  readonly moments: number;
  readonly recompute: Recompute;
  readonly splitting: Splitting;
  /** Operations of matrix products that training with one sample takes; asked for only where a batch is cut by them. */
  readonly flopsOfSample: () => number;
}

export const isTrained = ({ trainable }: Parameter): boolean => trainable;

/** Numbers in the weights that are chosen; by default all. */
export const countWeights = (tree: ParameterTree, chosen: (parameter: Parameter) => boolean = () => true): number =>
  [...namedParameters(tree)]
    .filter(([, parameter]) => chosen(parameter))
    .reduce((sum, [, { shape }]) => sum + sizeOf(shape as readonly number[]), 0);

/** The memory of a step, with the largest micro-batches that fit where they should. `splitting.samples` divides the batch. */
export function memoryPlan(program: ModelProgram, options: MemoryOptions): MemoryPlan {
  const { batch, splitting } = options;
  if (splitting.by === "nothing") return stepOf(program, options, batch);
  if (splitting.by === "size") return stepOf(program, options, splitting.samples);
  const every = divisors(batch);
  const most = splitting.flops === undefined ? batch : splitting.flops / options.flopsOfSample();
  const sizes = every.filter((size, i) => i === 0 || size <= most);
  const plans = new Map<number, MemoryPlan>();
  const planAt = (at: number): MemoryPlan => {
    const plan = plans.get(at) ?? { ...stepOf(program, options, sizes[at] as number), room: splitting.bytes };
    plans.set(at, plan);
    return plan;
  };
  const fits = (at: number): boolean => planAt(at).total <= splitting.bytes;
  // More samples never take less: the smallest size is taken where none fits, otherwise the largest that does.
  let [low, high] = [0, sizes.length - 1];
  if (fits(high)) return { ...planAt(high), bound: sizes.length < every.length ? "time" : null };
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return { ...planAt(low), bound: "memory" };
}

/** In ascending order. */
export function divisors(n: number): readonly number[] {
  const small = Array.from({ length: Math.floor(Math.sqrt(n)) }, (_, i) => i + 1).filter((at) => n % at === 0);
  const large = small.map((at) => n / at).reverse();
  return [...small, ...(small.at(-1) === large[0] ? large.slice(1) : large)];
}

function stepOf(program: ModelProgram, options: MemoryOptions, microBatch: number): MemoryPlan {
  const { batch, recompute } = options;
  const weights = 4 * countWeights(program.parameters);
  const trainable = 4 * countWeights(program.parameters, isTrained);
  const moments = options.moments * trainable;
  const sums = microBatch < batch ? trainable : 0;
  const peaks = trainingGraphs(program, microBatch, recompute).map((graph) => peakMemory(simplify(graph)).bytes);
  const working = Math.max(...peaks) - weights;
  const total = weights + moments + sums + working;
  return { batch, microBatch, recompute, weights, moments, sums, working, total, room: null, bound: null };
}
