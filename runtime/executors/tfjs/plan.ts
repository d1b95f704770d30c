/**
 * A graph made ready to run step by step, a node or what a backend computes at once: every tensor has a numbered place,
 * and every step says which places nothing reads afterwards. Knows no backend.
 */

import { type DType, type Graph, invariant, type Node, type Tensor, type TypedArray } from "../../../graph/index.js";
import type { Computed, Fuse, Fused, NeededOutputs } from "./kernel.js";

interface Placed {
  readonly place: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

interface Named extends Placed {
  readonly name: string;
}

/** What a step computes: a node, or what a backend computes at once. */
export type Work = Node<Computed> | Fused;

export interface Step {
  readonly work: Work;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly wanted: NeededOutputs;
  /** Places to free after this step. */
  readonly last: readonly number[];
}

export interface Plan {
  readonly places: number;
  /** What the caller must hand over, also what no step reads. */
  readonly feeds: readonly Named[];
  readonly state: readonly Named[];
  readonly constants: readonly (Placed & { readonly data: TypedArray })[];
  readonly steps: readonly Step[];
  readonly outputs: readonly Named[];
  readonly updates: readonly Named[];
}

const isComputed = (node: Node): node is Node<Computed> => node.operation !== "input" && node.operation !== "constant";

/** Places of tensors, given out in the order in which they are asked for. */
function places(): { readonly of: (tensor: Tensor) => number; readonly count: () => number } {
  const known = new Map<Node, number[]>();
  let count = 0;
  const of = ({ node, index }: Tensor): number => {
    const own = known.get(node) ?? node.outputs.map(() => count++);
    known.set(node, own);
    return own[index] as number;
  };
  return { of, count: () => count };
}

export const isFused = (work: Node | Fused): work is Fused => "run" in work;

/**
 * The work that the results need, in order: every tensor is made before it is read, and old state is read before it changes.
 */
function inOrder(graph: Graph, fused: readonly Fused[]): Work[] {
  const makers = new Map<Tensor, Fused>(fused.flatMap((one) => one.outputs.map((output) => [output, one] as const)));
  const makerOf = (tensor: Tensor): Node | Fused => makers.get(tensor) ?? tensor.node;
  const needed = new Set([...graph.outputs.values(), ...graph.updates.values()].map(makerOf));
  // Grows while it is walked.
  for (const work of needed) for (const input of work.inputs) needed.add(makerOf(input));
  const order = new Set<Work>();
  const add = (work: Node | Fused): void => {
    if (!needed.has(work) || (!isFused(work) && !isComputed(work)) || order.has(work)) return;
    for (const input of work.inputs) add(makerOf(input));
    order.add(work);
  };
  for (const node of graph.nodes) {
    add(node);
    for (const maker of new Set(node.outputs.map(makerOf))) if (!isFused(maker) || !maker.changesState) add(maker);
  }
  for (const one of fused) add(one);
  return [...order];
}

/** @param fuse what of a graph the backend computes at once; by default nothing. */
export function planOf(graph: Graph, fuse: Fuse = () => []): Plan {
  const { of, count } = places();
  const placed = (tensor: Tensor): Placed => ({ place: of(tensor), shape: tensor.shape, dtype: tensor.dtype });
  const named = (tensors: ReadonlyMap<string, Tensor>): Named[] =>
    [...tensors].map(([name, tensor]) => ({ name, ...placed(tensor) }));

  const feeds = named(graph.feeds);
  const state = named(graph.state);
  const outputs = named(graph.outputs);
  const updates = named(graph.updates);
  const fused = fuse(graph);
  const constants = [...graph.nodes, ...fused.flatMap(({ tables }) => tables.map(({ node }) => node))]
    .filter((node): node is Node<"constant"> => node.operation === "constant")
    .map((node) => ({ ...placed(node.outputs[0] as Tensor), data: node.attributes.data }));
  const kept = new Set([...state, ...constants, ...outputs, ...updates].map(({ place }) => place));

  const ordered = inOrder(graph, fused);
  const read = new Set([...ordered.flatMap(({ inputs }) => inputs.map(of)), ...kept]);
  const freed = new Set<number>();
  const steps = ordered.toReversed().map((work): Step => {
    const inputs = work.inputs.map(of);
    const own = work.outputs.map(of);
    const last = [...new Set([...inputs, ...own])].filter((place) => !kept.has(place) && !freed.has(place));
    for (const place of last) freed.add(place);
    return { work, inputs, outputs: own, wanted: own.map((place) => read.has(place)), last };
  });
  const known = new Set([...feeds, ...state, ...constants].map(({ place }) => place));
  for (const { work, inputs, outputs: own } of steps.toReversed()) {
    invariant(
      inputs.every((place) => known.has(place)),
      `${isFused(work) ? work.name : work.operation} reads what is made after it`,
    );
    for (const place of own) known.add(place);
  }
  return { places: count(), feeds, state, constants, steps: steps.toReversed(), outputs, updates };
}
