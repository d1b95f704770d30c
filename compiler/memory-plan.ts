/**
 * The most memory that a training process will have, part by part, and into how many micro-batches a batch is cut so that it fits into
 * what is there. Tensors are counted in the graphs; what an engine adds to them is told from outside, as somebody measured it.
 */

import { divisors, type ModelProgram, namedParameters, type Parameter, type ParameterTree } from "../blocks/index.js";
import { type Graph, peakMemory, type Recompute, simplify, sizeOf } from "../graph/index.js";
import { trainingGraphs } from "./training-graphs.js";

/** Bytes of a training process. */
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
  /** Node, packages, and what the engine holds beside the tensors. */
  readonly engine: number;
  /** Samples, batches that are prepared ahead, and the threads that prepare them. */
  readonly data: number;
  /** All of these: the expected peak of the process. */
  readonly total: number;
  /** What the process may take, where it was asked to fit; `total` may still be more. */
  readonly room: number | null;
  /** Why larger micro-batches were not taken; null where somebody says how large they are, or all of the batch is one. */
  readonly bound: "memory" | "time" | null;
}

/** What an engine needs beside a graph's tensors: bytes and shares as measured. */
export interface EngineMemory {
  /** Of a process that trains next to nothing. */
  readonly own: number;
  /** Copies of state that were read and are not collected yet: at most so many bytes, or one copy of all of it. */
  readonly garbage: number;
  /** Gradients have a place of their own for all of a step, or live from where they are made to where they are read. */
  readonly gradients: "placed" | "passing";
  /** Weights, moments and sums change where they lie, or their new values find room beside the old ones and what was computed before. */
  readonly updates: "in place" | "beside";
  /** Bytes held for each byte that is made in a step and lives: blocks are reused, and seldom fit. */
  readonly hold: number;
  /** What steps of several recipes make lies in memory of its own for each, or in the same for all. */
  readonly recipes: "apart" | "together";
}

/** What a run's data needs: bytes at any size of a batch, and of each sample of a micro-batch. */
export interface DataMemory {
  readonly fixed: number;
  readonly perSample: number;
}

/** Nothing but tensors. */
const tensorsAlone: EngineMemory = {
  own: 0,
  garbage: 0,
  gradients: "passing",
  updates: "in place",
  hold: 1,
  recipes: "together",
};
const noData: DataMemory = { fixed: 0, perSample: 0 };

/**
 * How a batch is cut into micro-batches: not at all, as somebody says, or so that the process fits into `bytes` and a micro-batch, where
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
  /** Whether samples are mixed in pairs, which no micro-batch may part. */
  readonly pairs?: boolean;
  /** If absent, tensors alone are counted. */
  readonly engine?: EngineMemory;
  readonly data?: DataMemory;
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
export const memoryPlan = (program: ModelProgram, options: MemoryOptions): MemoryPlan =>
  fitted(options, (microBatch) => stepOf(program, options, microBatch));

/** What is planned for micro-batches of some size. */
interface Planned {
  readonly total: number;
  readonly room: number | null;
  readonly bound: MemoryPlan["bound"];
}

/**
 * The plan for micro-batches of the size that is asked for, or of the largest that fits.
 * @param parts how many equal parts a micro-batch should divide into, where the batch does; by default one
 */
export function fitted<P extends Planned>(
  { batch, splitting, pairs, flopsOfSample }: MemoryOptions,
  planOf: (microBatch: number) => P,
  parts = 1,
): P {
  if (splitting.by === "nothing") return planOf(batch);
  if (splitting.by === "size") return planOf(splitting.samples);
  const paired = divisors(batch).filter((size) => !pairs || size % 2 === 0);
  // An odd batch has no pairs: what trains it says so.
  if (paired.length === 0) return planOf(batch);
  const even = paired.filter((size) => size % parts === 0);
  const every = even.length > 0 ? even : paired;
  const most = splitting.flops === undefined ? batch : splitting.flops / flopsOfSample();
  const sizes = every.filter((size, i) => i === 0 || size <= most);
  const plans = new Map<number, P>();
  const planAt = (at: number): P => {
    const plan = plans.get(at) ?? { ...planOf(sizes[at] as number), room: splitting.bytes };
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

function stepOf(program: ModelProgram, options: MemoryOptions, microBatch: number): MemoryPlan {
  const { batch, recompute, engine: of, data: dataOf = noData } = options;
  const weights = 4 * countWeights(program.parameters);
  const trainable = 4 * countWeights(program.parameters, isTrained);
  const moments = options.moments * trainable;
  const sums = microBatch < batch ? trainable : 0;
  const graphs = trainingGraphs(program, microBatch, recompute).map((graph) => simplify(graph));
  const { placed, made } = heldIn(graphs, of ?? tensorsAlone, { weights, trainable, moments, sums });
  const working = placed + made;
  const engine = of ? Math.round(engineBytes(of, { weights, moments, made })) : 0;
  const data = dataOf.fixed + microBatch * dataOf.perSample;
  const total = weights + moments + sums + working + engine + data;
  return {
    batch,
    microBatch,
    recompute,
    weights,
    moments,
    sums,
    working,
    engine,
    data,
    total,
    room: null,
    bound: null,
  };
}

/** Bytes of a process in which the steps of several recipes take turns. */
export type SharedMemory = Omit<MemoryPlan, "batch" | "microBatch" | "recompute" | "bound">;

/** The memory of a recipe by itself, and which weights of its model are those of the first recipe's. */
export interface MemoryOfOne {
  readonly memory: MemoryPlan;
  readonly parameters: ParameterTree;
  readonly isShared: (weight: string) => boolean;
}

/** Weights, moments and sums are those of the first; what the others have besides, and what each makes, comes to it. */
export function memoryByTurns(all: readonly MemoryOfOne[], engine: EngineMemory = tensorsAlone): SharedMemory {
  const [first, ...others] = all as readonly [MemoryOfOne, ...MemoryOfOne[]];
  const placed = (one: MemoryOfOne): number =>
    engine.gradients === "placed" ? 4 * countWeights(one.parameters, isTrained) : 0;
  const made = all.map((one) => one.memory.working - placed(one));
  const held = engine.recipes === "apart" ? sum(made) : Math.max(...made);
  const tables = others.map(({ parameters, isShared }) =>
    sum(
      [...namedParameters(parameters)].map(([name, { shape }]) =>
        isShared(name) ? 0 : 4 * sizeOf(shape as readonly number[]),
      ),
    ),
  );
  const { weights: own, moments, room, engine: rest } = first.memory;
  const parts = {
    weights: own + sum(tables),
    moments,
    sums: Math.max(...all.map(({ memory }) => memory.sums)),
    working: placed(first) + held,
    engine: Math.round(rest + (engine.hold - 1) * (held - (made[0] as number))),
    data: sum(all.map(({ memory }) => memory.data)),
  };
  return { ...parts, total: sum(Object.values(parts)), room };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

type State = Readonly<Record<"weights" | "trainable" | "moments" | "sums", number>>;

/** What lives in a step besides state: gradients that have places of their own, and what is made and goes. */
function heldIn(
  graphs: readonly Graph[],
  { gradients, updates }: EngineMemory,
  { weights, trainable, moments, sums }: State,
): { readonly placed: number; readonly made: number } {
  const arePlaced = gradients === "placed";
  const made = arePlaced
    ? madeBesideGradients(graphs, weights)
    : Math.max(...graphs.map((graph) => peakMemory(graph).bytes - weights));
  const replacing = updates === "in place" ? 0 : trainable + moments + sums;
  return { placed: arePlaced ? trainable : 0, made: made + replacing };
}

/** The most bytes that live at once of what graphs make, but for gradients that have places of their own or are taken as soon as they are there. */
export const madeBesideGradients = (graphs: readonly Graph[], weights: number): number =>
  Math.max(...graphs.map((graph) => peakMemory(withoutResults(graph)).bytes - weights));

/** As a graph is held where its results have places of their own. */
const withoutResults = (graph: Graph): Graph => ({ ...graph, outputs: new Map() });

/** The weights that a run starts with lie in the process a second time: what is free again is not given back. */
export const engineBytes = (
  { own, garbage, hold }: EngineMemory,
  { weights, moments, made }: { readonly weights: number; readonly moments: number; readonly made: number },
): number => own + weights + Math.min(garbage, weights + moments) + (hold - 1) * made;
