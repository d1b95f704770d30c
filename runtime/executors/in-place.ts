/**
 * Which nodes of a graph do nothing but replace state by what follows from it: an executor may write their results where
 * the state lies, after all that reads the old values. How it does that is left to each.
 */

import type { Graph, Node, Tensor } from "../../graph/index.js";

/** Nodes that change state and have their own kernels. */
export type Update = Node<"adamw"> | Node<"sgd"> | Node<"accumulate">;

/** Which of an update's inputs are state: parameter and moments, around the gradient at 1. */
export const stateInputs = { adamw: [0, 2, 3], sgd: [0, 2], accumulate: [0] } as const;

/** Where an update's scalars begin. */
export const firstScalar = { adamw: 4, sgd: 3, accumulate: 2 } as const;

const isUpdate = (node: Node): node is Update => node.operation in stateInputs;

/** The names of the state that an update replaces with its own outputs, or null where it does anything else. */
function stateOf(graph: Graph, node: Update): readonly string[] | null {
  const names = stateInputs[node.operation].map((at, i) => {
    const before = node.inputs[at];
    const slot = [...graph.state].find(([, tensor]) => tensor === before)?.[0];
    return slot !== undefined && graph.updates.get(slot) === node.outputs[i] ? slot : null;
  });
  return names.every((name) => name !== null) ? names : null;
}

/** Updates whose results go into state and nowhere else, with the names of that state in the order of `stateInputs`. */
export function inPlaceNodes(graph: Graph): ReadonlyMap<Update, readonly string[]> {
  const elsewhere = new Set<Tensor>([...graph.outputs.values(), ...graph.nodes.flatMap((node) => node.inputs)]);
  const found = new Map<Update, readonly string[]>();
  for (const node of graph.nodes) {
    if (!isUpdate(node) || node.outputs.some((output) => elsewhere.has(output))) continue;
    const names = stateOf(graph, node);
    if (names) found.set(node, names);
  }
  return found;
}
