/** How much memory a graph needs at once, from the lifetimes of its tensors. */

import type { Graph, Node } from "./graph.js";
import type { OperationName } from "./operations.js";
import { countUses, isA, isSource } from "./rewrite.js";
import { bytesOf, sizeOf, type Tensor } from "./shape.js";

export interface Memory {
  /** The most bytes held at once. */
  readonly bytes: number;
  /** The node during which they are held; undefined for a graph without nodes that compute. */
  readonly node: Node | undefined;
  /** Of these bytes: parameters and moments before the run, and constants. */
  readonly state: number;
  readonly constants: number;
}

/**
 * Peak memory of one run, nodes in order, without what an executor needs for itself.
 *
 * A tensor is held from the node that makes it (a feed: from the start) to the last node that reads it; a node's inputs
 * and outputs are held together. Results are held to the end. State and constants are held throughout, except that state
 * with an update ends at its last reader, as its new value takes its place. `reshape`, `stopGradient` and `barrier` share
 * their input's memory. Outputs that nothing reads take none, but for attention, which needs its probabilities to compute.
 */
export function peakMemory(graph: Graph): Memory {
  const ends = lifetimes(graph);
  const expiring = graph.nodes.map((): Tensor[] => []);
  for (const [tensor, end] of ends) expiring[end]?.push(tensor);
  const held = (tensors: Iterable<Tensor>): number => [...tensors].reduce((sum, tensor) => sum + bytesIn(tensor), 0);
  const state = held(graph.state.values());
  const constants = held(graph.nodes.flatMap((node) => (isA(node, "constant") ? node.outputs : [])));
  let now = state + constants + held(graph.feeds.values());
  let peak = { bytes: now, node: undefined as Node | undefined };
  for (const [place, node] of graph.nodes.entries()) {
    const made = isSource(node)
      ? []
      : node.outputs.filter((output) => storageOf(output) === output && ends.has(output));
    now += held(made);
    if (now > peak.bytes) peak = { bytes: now, node };
    now -= held(expiring[place] ?? []);
  }
  return { ...peak, state, constants };
}

const sharing: ReadonlySet<OperationName> = new Set<OperationName>(["reshape", "stopGradient", "barrier"]);

/** The tensor in whose memory this one lies. */
function storageOf(tensor: Tensor): Tensor {
  let storage = tensor;
  while (sharing.has(storage.node.operation)) storage = storage.node.inputs[0] as Tensor;
  return storage;
}

function bytesIn(tensor: Tensor): number {
  const { node, dtype, shape } = tensor;
  return bytesOf[dtype] * (isA(node, "constant") ? node.attributes.data.length : sizeOf(shape));
}

/** For each piece of memory, the place of the node after which it is free; `Infinity` where it is held to the end. */
function lifetimes(graph: Graph): ReadonlyMap<Tensor, number> {
  const ends = new Map<Tensor, number>();
  const uses = countUses(graph);
  const hold = (tensor: Tensor, until: number): void => {
    const storage = storageOf(tensor);
    ends.set(storage, Math.max(ends.get(storage) ?? 0, until));
  };
  for (const [place, node] of graph.nodes.entries()) {
    for (const input of node.inputs) hold(input, place);
    for (const output of node.outputs) if (uses.has(output) || isWorkspace(output)) hold(output, place);
    if (node.operation === "constant") hold(node.outputs[0] as Tensor, Infinity);
  }
  for (const [name, slot] of graph.state) if (!graph.updates.has(name)) hold(slot, Infinity);
  for (const result of [...graph.outputs.values(), ...graph.updates.values()]) hold(result, Infinity);
  return ends;
}

const isWorkspace = ({ node, index }: Tensor): boolean => node.operation === "attention" && index === 1;
