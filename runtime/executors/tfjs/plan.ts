/**
 * A graph made ready to run node by node: every tensor has a numbered place, and every step says which places nothing
 * reads afterwards. Knows no backend.
 */

import { type DType, type Graph, invariant, type Node, type Tensor, type TypedArray } from "../../../graph/index.js";
import { firstScalar, inPlaceNodes, stateInputs, type Update } from "../in-place.js";
import type { Computed, NeededOutputs } from "./kernel.js";

interface Placed {
  readonly place: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

interface Named extends Placed {
  readonly name: string;
}

export interface Step {
  readonly node: Node<Computed>;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly wanted: NeededOutputs;
  /** Places to free after this step. */
  readonly last: readonly number[];
}

/** Updates of state by one rule with the same scalars, made once nothing reads the old state any more. */
export interface UpdateGroup extends Pick<Update, "operation" | "attributes"> {
  /** Places of the scalars. */
  readonly scalars: readonly number[];
  /** Places of each parameter's state, gradient and new state. */
  readonly members: readonly {
    readonly state: readonly number[];
    readonly gradient: number;
    readonly outputs: readonly number[];
  }[];
}

export interface Plan {
  readonly places: number;
  /** What the caller must hand over, also what no step reads. */
  readonly feeds: readonly Named[];
  readonly state: readonly Named[];
  readonly constants: readonly (Placed & { readonly data: TypedArray })[];
  readonly steps: readonly Step[];
  /** After the steps. */
  readonly groups: readonly UpdateGroup[];
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

function groupsOf(graph: Graph, nodes: ReadonlySet<Node>, of: (tensor: Tensor) => number): UpdateGroup[] {
  const groups = new Map<string, UpdateGroup & { readonly members: UpdateGroup["members"][number][] }>();
  for (const node of graph.nodes) {
    if (!nodes.has(node)) continue;
    const { operation, attributes, inputs, outputs } = node as Update;
    const scalars = inputs.slice(firstScalar[operation]).map(of);
    const key = JSON.stringify([operation, attributes, scalars]);
    const group = groups.get(key) ?? { operation, attributes, scalars, members: [] };
    groups.set(key, group);
    group.members.push({
      state: stateInputs[operation].map((at) => of(inputs[at] as Tensor)),
      gradient: of(inputs[1] as Tensor),
      outputs: outputs.map(of),
    });
  }
  return [...groups.values()];
}

/** In-place updates of state that is not also an output as it was, or what another slot becomes. */
function groupedNodes(graph: Graph): ReadonlySet<Node> {
  const asItWas = new Set<Tensor>([...graph.outputs.values(), ...graph.updates.values()]);
  const isFree = (node: Update): boolean =>
    stateInputs[node.operation].every((at) => !asItWas.has(node.inputs[at] as Tensor));
  return new Set([...inPlaceNodes(graph).keys()].filter(isFree));
}

/** @param together whether the backend makes updates of state together. */
export function planOf(graph: Graph, together: boolean): Plan {
  const { of, count } = places();
  const placed = (tensor: Tensor): Placed => ({ place: of(tensor), shape: tensor.shape, dtype: tensor.dtype });
  const named = (tensors: ReadonlyMap<string, Tensor>): Named[] =>
    [...tensors].map(([name, tensor]) => ({ name, ...placed(tensor) }));

  const feeds = named(graph.feeds);
  const state = named(graph.state);
  const outputs = named(graph.outputs);
  const updates = named(graph.updates);
  const constants = graph.nodes
    .filter((node): node is Node<"constant"> => node.operation === "constant")
    .map((node) => ({ ...placed(node.outputs[0] as Tensor), data: node.attributes.data }));
  const grouped = together ? groupedNodes(graph) : new Set<Node>();
  const groups = groupsOf(graph, grouped, of);
  const readByGroups = groups.flatMap(({ scalars, members }) => [
    ...scalars,
    ...members.map(({ gradient }) => gradient),
  ]);
  const kept = new Set([
    ...[...state, ...constants, ...outputs, ...updates].map(({ place }) => place),
    ...readByGroups,
  ]);

  const read = new Set([...graph.nodes.flatMap((node) => node.inputs.map(of)), ...kept]);
  const freed = new Set<number>();
  const alone = (node: Node): node is Node<Computed> => isComputed(node) && !grouped.has(node);
  const backwards = graph.nodes.filter(alone).toReversed();
  const steps = backwards.map((node): Step => {
    const inputs = node.inputs.map(of);
    const own = node.outputs.map(of);
    const last = [...new Set([...inputs, ...own])].filter((place) => !kept.has(place) && !freed.has(place));
    for (const place of last) freed.add(place);
    return { node, inputs, outputs: own, wanted: own.map((place) => read.has(place)), last };
  });
  const known = new Set([...feeds, ...state, ...constants].map(({ place }) => place));
  for (const step of steps.toReversed()) {
    invariant(
      step.inputs.every((place) => known.has(place)),
      `${step.node.operation} reads what is made after it`,
    );
    for (const place of step.outputs) known.add(place);
  }
  return { places: count(), feeds, state, constants, steps: steps.toReversed(), groups, outputs, updates };
}
