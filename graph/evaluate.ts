/** Runs a whole graph through the reference kernels, in float64. */

import type { Graph, Values } from "./graph.js";
import { invariant } from "./invariant.js";
import { compute } from "./kernels/index.js";
import { held } from "./kernels/kernel.js";
import { sizeOf, type Tensor, type TypedArray } from "./shape.js";

/**
 * Computes a graph's outputs and updates.
 * @param feeds one array for each feed, row major, in any of the array types.
 * @param state one array for each state slot.
 * @returns float32 tensors as Float64Array, int32 as Int32Array, bool as Uint8Array.
 * @throws InvariantError where a value is missing or has another size than its shape.
 */
export function evaluate(graph: Graph, feeds: Values, state: Values = {}): { outputs: Values; updates: Values } {
  const known = new Map<Tensor, TypedArray>();
  const given = (tensors: ReadonlyMap<string, Tensor>, values: Values): void => {
    for (const [name, tensor] of tensors) {
      const value = values[name];
      invariant(value, `no value for "${name}"`);
      const count = sizeOf(tensor.shape);
      invariant(value.length === count, `"${name}" has ${value.length} values, its shape ${count}`);
      known.set(tensor, held(tensor.dtype, value));
    }
  };
  given(graph.feeds, feeds);
  given(graph.state, state);
  const last = new Map(graph.nodes.flatMap((node) => node.inputs.map((input) => [input, node])));
  const isWanted = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  for (const node of graph.nodes) {
    if (node.operation === "input") continue;
    const results = compute(
      node,
      node.inputs.map((input) => numbersOf(known, input)),
    );
    for (const [i, output] of node.outputs.entries()) known.set(output, results[i] as TypedArray);
    // What nothing reads any more leaves its memory to what follows.
    for (const input of node.inputs) if (last.get(input) === node && !isWanted.has(input)) known.delete(input);
  }
  const read = (tensors: ReadonlyMap<string, Tensor>): Values =>
    Object.fromEntries([...tensors].map(([name, tensor]) => [name, numbersOf(known, tensor)]));
  return { outputs: read(graph.outputs), updates: read(graph.updates) };
}

function numbersOf(known: ReadonlyMap<Tensor, TypedArray>, tensor: Tensor): TypedArray {
  const value = known.get(tensor);
  invariant(value, `node ${tensor.node.id} (${tensor.node.operation}) is used before it is made`);
  return value;
}
