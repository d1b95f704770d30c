/** Moves of tensors in an ONNX model, which change no number: other shapes, and other orders of axes and along them. What is computed is left to others. */

import type { Node, Tensor } from "../../../graph/index.js";
import { int, ints } from "./fields.js";
import type { OnnxModel } from "./model.js";

export type Shape = readonly number[];

export const transposed = (m: OnnxModel, x: string, permutation: Shape): string =>
  m.op("Transpose", [x], { perm: ints(permutation) });
export const counted = (from: number, to: number): Shape => Array.from({ length: to - from }, (_, i) => from + i);
export const inputShape = (node: Node, i: number): Shape => (node.inputs[i] as Tensor).shape;
export const outputShape = (node: Node, i = 0): Shape => (node.outputs[i] as Tensor).shape;

/** A size of 0 would otherwise stand for the size that x has there. One open size follows from the others. */
export function reshaped(m: OnnxModel, x: string, shape: readonly number[]): string {
  if (shape.includes(0)) return m.op("Reshape", [x, m.sizes(shape)], { allowzero: int(1) });
  const follows = shape.filter(m.isOpen).length === 1;
  return m.op("Reshape", [x, m.sizes(follows ? shape.map((size) => (m.isOpen(size) ? -1 : size)) : shape)]);
}

/** x in the other direction along some axes. */
export function reversed(m: OnnxModel, x: string, axes: Shape): string {
  const each = (value: number): string => m.sizes(axes.map(() => value));
  return m.op("Slice", [x, each(-1), each(-(2 ** 31)), m.sizes(axes), each(-1)]);
}

/** A matrix [R, C] as [C, R]. It has three axes, so that onnxruntime does not fuse it with a product, which would turn it anew for every 128 columns. */
export const turned = (m: OnnxModel, x: string, [rows, columns]: readonly [number, number]): string =>
  reshaped(m, transposed(m, reshaped(m, x, [1, rows, columns]), [0, 2, 1]), [columns, rows]);
