/**
 * The reference: every operation written plainly over float64, for tests, for folding constants, and for what executors
 * must agree with. Made to be read and trusted, not to be fast.
 */

import type { Node } from "../graph.js";
import { InvariantError } from "../invariant.js";
import type { OperationName } from "../operations.js";
import type { TypedArray } from "../shape.js";
import { asInputs, outputsOf } from "../signature.js";
import { elementwise } from "./elementwise.js";
import { held, type Kernel, type Kernels } from "./kernel.js";
import { movement } from "./movement.js";
import { networks } from "./networks.js";
import { reductions } from "./reductions.js";
import { updates } from "./updates.js";
import { windows } from "./windows.js";

const kernels: Kernels<OperationName> = {
  input: (_, { name }) => {
    throw new InvariantError(`input "${name}" has no value of its own`);
  },
  ...elementwise,
  ...reductions,
  ...movement,
  ...networks,
  ...windows,
  ...updates,
};

/**
 * The outputs of one node, from the values of its inputs.
 * @param inputs in the node's order, row major.
 * @returns float32 tensors in float64 arrays; int32 and bool in their own.
 */
export function compute<O extends OperationName>(node: Node<O>, inputs: readonly TypedArray[]): readonly TypedArray[] {
  const values = node.inputs.map(({ shape, dtype }, i) => ({
    shape,
    dtype,
    data: held(dtype, inputs[i] as TypedArray),
  }));
  const kernel: Kernel<O> = kernels[node.operation];
  return kernel(asInputs(node.operation, values), node.attributes, outputsOf(node));
}
