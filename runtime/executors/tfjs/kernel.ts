/** The form of a kernel: what computes one node in TensorFlow.js. */

import type * as tf from "@tensorflow/tfjs-core";
import type { Attributes, InputsOf, OperationName } from "../../../graph/index.js";
import type { Shared } from "./adamw-scalars.js";

/** Operations that compute; inputs and constants are placed by the session. */
export type Computed = Exclude<OperationName, "input" | "constant">;

/** Which outputs of the node anything reads; a kernel may leave out the others. */
export type NeededOutputs = readonly boolean[];

export type Kernel<O extends Computed> = (
  inputs: InputsOf<O, tf.Tensor>,
  attributes: Attributes[O],
  wanted: NeededOutputs,
  shared: Shared,
) => readonly (tf.Tensor | undefined)[];

export type Kernels = { readonly [O in Computed]: Kernel<O> };
