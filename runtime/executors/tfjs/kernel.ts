/** The forms of kernels: what computes one node in TensorFlow.js, and what computes several at once. */

import type * as tf from "@tensorflow/tfjs-core";
import type { Attributes, Graph, InputsOf, OperationName, Tensor } from "../../../graph/index.js";
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

/** What a backend computes at once, of several nodes of a graph. */
export interface Fused {
  /** For messages. */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Constants among the inputs that are not of the graph. */
  readonly tables: readonly Tensor[];
  /** Whether it writes where inputs lie that are state, so that all else that reads them comes before. */
  readonly changesState: boolean;
  run(inputs: readonly tf.Tensor[], wanted: NeededOutputs): readonly (tf.Tensor | undefined)[];
}

/** What of a graph a backend computes at once; each tensor that anything else reads is a result of one of them. */
export type Fuse = (graph: Graph) => readonly Fused[];
