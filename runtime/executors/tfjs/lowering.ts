/**
 * The few operations whose best form differs from backend to backend: matrix products and moves of whole rows.
 * Everything else is the same TensorFlow.js call everywhere and lives in `kernels.ts`.
 */

import * as tf from "@tensorflow/tfjs-core";

export interface Lowering {
  /** (a [..., n, k], b [..., k, m]), either transposed in its last two axes first -> [..., n, m]. */
  matmul(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor;
  /** (x [n, i], weight [o, i], bias [o]) -> [n, o] */
  linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor;
  /** (rows [n, d], index int32 [k]) -> [k, d] */
  takeRows(rows: tf.Tensor2D, index: tf.Tensor1D): tf.Tensor2D;
  /** (rows [k, d], index int32 [k], distinct) -> [count, d], zero where no index points. */
  putRows(rows: tf.Tensor2D, index: tf.Tensor1D, count: number): tf.Tensor2D;
  /** The same of any index: rows that share one are added. */
  addRows(rows: tf.Tensor2D, index: tf.Tensor1D, count: number): tf.Tensor2D;
  /** (x [outer, n, inner]) -> [outer, size, inner] */
  slice(x: tf.Tensor3D, begin: number, size: number): tf.Tensor;
  /** Axes up to which its transpose is good. */
  readonly transposeAxes: number;
  /** int32 or bool -> float32 */
  toFloat(x: tf.Tensor): tf.Tensor;
}

/** Rows and columns of the last two axes, after an optional transpose. */
export const matrixShape = (x: tf.Tensor, transpose: boolean): readonly [rows: number, columns: number] => {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transpose ? [columns, rows] : [rows, columns];
};

/** [k] -> [k, 1] */
const asColumn = (index: tf.Tensor1D): tf.Tensor2D => tf.reshape(index, [index.size, 1]);

/** TensorFlow.js adds what is scattered to one place. */
const scatterRows: Lowering["putRows"] = (rows, index, count) =>
  tf.scatterND(asColumn(index), rows, [count, rows.shape[1]]) as tf.Tensor2D;

/** What most backends do well: their own kernels, transposes inside the product. */
export const plain: Lowering = {
  matmul: (a, b, transposeA, transposeB) => {
    if (a.rank === 2 || b.rank > 2 || transposeA) return tf.matMul(a, b, transposeA, transposeB);
    const [rows, inner] = matrixShape(a, false);
    const product = tf.matMul(tf.reshape(a, [-1, inner]), b, false, transposeB);
    return tf.reshape(product, [...a.shape.slice(0, -2), rows, matrixShape(b, transposeB)[1]]);
  },
  linear: (x, weight, bias) => tf.fused.matMul({ a: x, b: weight, bias, transposeB: true }),
  takeRows: (rows, index) => tf.gather(rows, index),
  putRows: scatterRows,
  addRows: scatterRows,
  slice: (x, begin, size) => tf.slice(x, [0, begin, 0], [-1, size, -1]),
  transposeAxes: 6,
  toFloat: (x) => tf.cast(x, "float32"),
};

/** On WebGPU a cast changes the label only, and the transposing shader does not compile for whole numbers so labelled. */
export const webgpu: Lowering = {
  ...plain,
  toFloat: (x) => tf.mul(tf.cast(x, "float32"), 1),
};

/** WebGL adds a lone update twice (seen in TensorFlow.js 4.22), so that zeros are added beside it. */
const asTwo = <T extends tf.Tensor>(x: T, other: T): T => (x.shape[0] === 1 ? tf.concat([x, other], 0) : x);

/**
 * WebGL scatters by trying every index for every output element, so only the row numbers are scattered (one column);
 * the rows follow by a gather from the rows with a row of zeros before them.
 */
export const webgl: Lowering = {
  ...plain,
  addRows: (rows, index, count) => scatterRows(asTwo(rows, tf.zerosLike(rows)), asTwo(index, index), count),
  putRows: (rows, index, count) => {
    const numbers = tf.range(1, index.size + 1, 1, "int32");
    const places = asColumn(asTwo(index, index));
    const source = tf.scatterND(places, asTwo(numbers, tf.zerosLike(numbers)), [count]) as tf.Tensor1D;
    const padded = tf.concat([tf.zeros<tf.Rank.R2>([1, rows.shape[1]]), rows], 0);
    return tf.gather(padded, source);
  },
};
