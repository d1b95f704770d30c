/** The forms of kernels: what computes one node in TensorFlow.js, and what makes many updates of state together. */

import type * as tf from "@tensorflow/tfjs-core";
import type { Attributes, InputsOf, OperationName } from "../../../graph/index.js";
import type { Update } from "../in-place.js";
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

/** One parameter's share of an update: its state in the order of `stateInputs`, and its gradient. */
export interface Updated {
  readonly state: readonly tf.Tensor[];
  readonly gradient: tf.Tensor;
}

/** Updates many parameters with one rule and the same scalars where their state lies; gives the new state of each. */
export type UpdateTogether = (
  update: Pick<Update, "operation" | "attributes">,
  scalars: readonly tf.Tensor[],
  members: readonly Updated[],
) => readonly (readonly tf.Tensor[])[];
