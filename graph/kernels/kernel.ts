/** What the reference kernels share: their form, arrays, and walking through shapes. */

import type { Form } from "../form.js";
import type { Attributes, OperationName } from "../operations.js";
import { type DType, sizeOf, type TypedArray } from "../shape.js";
import type { InputsOf, OutputsOf } from "../signature.js";

/** A tensor with its numbers, row major. float32 tensors are held in float64. */
export interface Value extends Form {
  readonly data: TypedArray;
}

/** Inputs, attributes and the forms of the outputs in; the outputs' numbers out. */
export type Kernel<O extends OperationName> = (
  inputs: InputsOf<O, Value>,
  attributes: Attributes[O],
  outputs: OutputsOf<O, Form>,
) => readonly TypedArray[];

export type Kernels<O extends OperationName> = { readonly [K in O]: Kernel<K> };

const arrays = { float32: Float64Array, int32: Int32Array, bool: Uint8Array } as const;

/** Zeros in a tensor's form. */
export const zeros = ({ shape, dtype }: Form): TypedArray => new arrays[dtype](sizeOf(shape));

/** The numbers in the array that the reference keeps for this element type. */
export const held = (dtype: DType, data: TypedArray): TypedArray =>
  data instanceof arrays[dtype] ? data : arrays[dtype].from(data);

/** The last axis and how many rows of it there are. */
export function rows({ shape }: Form): { readonly count: number; readonly width: number } {
  const width = shape.at(-1) ?? 1;
  return { count: sizeOf(shape.slice(0, -1)), width };
}

/** The largest number, by a loop: rows may be longer than an argument list. */
export function largest(row: Iterable<number>): number {
  let most = -Infinity;
  for (const value of row) most = Math.max(most, value);
  return most;
}

/** Elements to step over for one step along each axis. */
export function strides(shape: readonly number[]): readonly number[] {
  let step = 1;
  return shape
    .toReversed()
    .map((n) => {
      const here = step;
      step *= n;
      return here;
    })
    .reverse();
}

/** Strides of `shape` seen as the larger `result`: 0 along the axes that broadcasting repeats. */
export function broadcastStrides(shape: readonly number[], result: readonly number[]): readonly number[] {
  const own = strides(shape);
  const extra = result.length - shape.length;
  return result.map((_, axis) => ((shape[axis - extra] ?? 1) === 1 ? 0 : (own[axis - extra] ?? 0)));
}

// Loops count, since iterators take these kernels several times as long.

/** For each element of `shape`, in order, where it lies under the given strides. */
export function places(shape: readonly number[], steps: readonly number[], start = 0): Int32Array {
  let found = Int32Array.of(start);
  for (const [axis, count] of shape.entries()) {
    const step = steps[axis] ?? 0;
    const next = new Int32Array(found.length * count);
    for (let i = 0; i < found.length; i++) {
      for (let j = 0; j < count; j++) next[i * count + j] = (found[i] as number) + j * step;
    }
    found = next;
  }
  return found;
}

/** The elements at these places, in the form of `like`. */
export function gather(data: TypedArray, at: Int32Array, like: Form): TypedArray {
  const out = zeros(like);
  for (let i = 0; i < at.length; i++) out[i] = data[at[i] as number] as number;
  return out;
}

/** Puts elements at these places of an array that is zero elsewhere. */
export function scatter(data: TypedArray, at: Int32Array, like: Form): TypedArray {
  const out = zeros(like);
  for (let i = 0; i < at.length; i++) out[at[i] as number] = data[i] as number;
  return out;
}
