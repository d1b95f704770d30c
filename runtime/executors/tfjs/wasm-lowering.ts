/**
 * Matrix products and row moves for the WebAssembly backend. Its fast product (XNNPACK) is taken only for two plain
 * matrices; a transposed or batched one runs some fifteen times slower, and `gather` and `slice` copy far more than
 * they return. So transposes are made explicit and large batches are unrolled over rows copied by `gatherND`.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Lowering, matrixShape, plain } from "./lowering.js";

/**
 * Multiply-adds of one matrix of a batch from which unrolling is faster. Measured on two x86 cores, 96 matrices: even
 * at 32 x 32 x 32, 2.3 times faster at 64 x 64 x 16, 5 to 8 times at 196 tokens.
 */
const unrollFrom = 32 * 32 * 32;

const transposed = (x: tf.Tensor, wanted: boolean): tf.Tensor => {
  if (!wanted) return x;
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
};

/** The matrices of a batch [n, rows, columns], one by one; `slice` would copy the whole batch for each. */
const matrices = (batch: tf.Tensor3D): tf.Tensor2D[] => {
  const [count, rows, columns] = batch.shape;
  const flat = tf.reshape(batch, [count, rows * columns]);
  return Array.from({ length: count }, (_, i) =>
    tf.reshape(tf.gatherND(flat, tf.tensor2d([i], [1, 1], "int32")), [rows, columns]),
  );
};

const unrolled = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
  const [rows, inner] = matrixShape(a, false);
  const columns = matrixShape(b, false)[1];
  const lefts = a.rank === 2 ? [a as tf.Tensor2D] : matrices(tf.reshape(a, [-1, rows, inner]));
  const rights = b.rank === 2 ? [b as tf.Tensor2D] : matrices(tf.reshape(b, [-1, inner, columns]));
  const count = Math.max(lefts.length, rights.length);
  const products = Array.from({ length: count }, (_, i) =>
    tf.matMul(lefts[i % lefts.length] as tf.Tensor2D, rights[i % rights.length] as tf.Tensor2D),
  );
  const batch = (a.rank > b.rank ? a : b).shape.slice(0, -2);
  return tf.reshape(tf.concat(products, 0), [...batch, rows, columns]);
};

const matmul: Lowering["matmul"] = (a, b, transposeA, transposeB) => {
  const left = transposed(a, transposeA);
  const right = transposed(b, transposeB);
  if (left.rank === 2 && right.rank === 2) return tf.matMul(left, right);
  const [rows, inner] = matrixShape(left, false);
  const columns = matrixShape(right, false)[1];
  if (right.rank === 2) {
    const product = tf.matMul(tf.reshape(left, [-1, inner]), right);
    return tf.reshape(product, [...left.shape.slice(0, -2), rows, columns]);
  }
  return rows * inner * columns < unrollFrom ? tf.matMul(a, b, transposeA, transposeB) : unrolled(left, right);
};

const takeRows: Lowering["takeRows"] = (rows, index) => tf.gatherND(rows, tf.expandDims(index, 1)) as tf.Tensor2D;

/** `begin`, `begin` + 1 ... */
const count = (begin: number, size: number): tf.Tensor1D =>
  tf.tensor1d(
    Int32Array.from({ length: size }, (_, i) => begin + i),
    "int32",
  );

export const wasm: Lowering = {
  ...plain,
  matmul,
  linear: (x, weight, bias) => tf.fused.matMul({ a: x, b: tf.transpose(weight), bias }),
  takeRows,
  slice: (x, begin, size) => {
    const [outer, n, inner] = x.shape;
    if (outer !== 1) return plain.slice(x, begin, size);
    return tf.reshape(takeRows(tf.reshape(x, [n, inner]), count(begin, size)), [1, size, inner]);
  },
  transposeAxes: 4,
};
