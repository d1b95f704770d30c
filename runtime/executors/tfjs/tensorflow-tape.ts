/**
 * A graph as TensorFlow's own operations: our kernels are run once, step by step, and what they call is written down with
 * its attributes. The numbers of that run are of no use. What becomes of the tape is left to `saved-model.ts`.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { DType, TypedArray } from "../../../graph/index.js";

/** An attribute of an operation as the addon takes it: `type` is one of its TF_ATTR constants. */
export interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What the addon tells of a tensor. */
interface Handle {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** The addon of tfjs-node, as far as it is used; handles are numbered and no number comes twice. */
export interface Binding {
  readonly TF_Version: string;
  readonly [constant: `TF_${string}`]: number | string;
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    count: number,
  ): Handle[];
  createTensor(shape: readonly number[], dtype: number, values: TypedArray): number;
}

/** The backend of tfjs-node, as far as it is used. */
export interface TensorflowBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: Binding;
  /** The numbers of handles; makes those that were not needed before. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  loadSavedModelMetaGraph(path: string, tags: string): number;
  runSavedModel(
    model: number,
    inputs: readonly tf.Tensor[],
    names: readonly { readonly name: string }[],
    outputs: readonly string[],
  ): tf.Tensor[];
  deleteSavedModel(model: number): void;
}

/** A tensor of a tape: an output of one of its operations, a constant, or one that is given. */
export type Taped =
  | { readonly kind: "made"; readonly operation: number; readonly output: number }
  | { readonly kind: "constant"; readonly constant: number }
  | { readonly kind: "given"; readonly given: number };

export interface TapedOperation {
  readonly name: string;
  readonly attributes: readonly OperationAttribute[];
  readonly inputs: readonly Taped[];
}

export interface TapedConstant {
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly values: TypedArray;
}

export interface Tape {
  readonly operations: readonly TapedOperation[];
  readonly constants: readonly TapedConstant[];
  /** What the caller's work made. */
  readonly results: readonly Taped[];
}

/**
 * Writes down what `work` calls.
 * @param given tensors that it reads; all others are constants.
 */
export function taped(backend: TensorflowBackend, given: readonly tf.Tensor[], work: () => readonly tf.Tensor[]): Tape {
  const { binding } = backend;
  const known = new Map<number, Taped>();
  backend.getInputTensorIds(given).forEach((id, i) => {
    known.set(id, { kind: "given", given: i });
  });
  const [operations, constants]: [TapedOperation[], TapedConstant[]] = [[], []];
  const tapedOf = (id: number): Taped => known.get(id) as Taped;
  const spied: Pick<Binding, "executeOp" | "createTensor"> = {
    executeOp(name, attributes, inputs, count) {
      const made = binding.executeOp(name, attributes, inputs, count);
      made.forEach(({ id }, output) => {
        known.set(id, { kind: "made", operation: operations.length, output });
      });
      operations.push({ name, attributes, inputs: inputs.map(tapedOf) });
      return made;
    },
    createTensor(shape, dtype, values) {
      const id = binding.createTensor(shape, dtype, values);
      known.set(id, { kind: "constant", constant: constants.length });
      constants.push({ shape: [...shape], dtype, values });
      return id;
    },
  };
  const place = backend as { binding: Binding };
  // The addon's functions are not to be written over.
  place.binding = Object.create(binding, {
    executeOp: { value: spied.executeOp },
    createTensor: { value: spied.createTensor },
  }) as Binding;
  try {
    const results = work();
    const ids = backend.getInputTensorIds(results);
    tf.dispose([...results]);
    return { operations, constants, results: ids.map(tapedOf) };
  } finally {
    place.binding = binding;
  }
}

/** The number that the addon gives a type of ours. */
export const dtypeNumber = ({ binding }: TensorflowBackend, dtype: DType): number =>
  binding[dtype === "float32" ? "TF_FLOAT" : dtype === "int32" ? "TF_INT32" : "TF_BOOL"] as number;
