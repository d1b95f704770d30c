/**
 * What each operation is in TensorFlow.js: one exhaustive table over the closed set. Gradients come from our graphs, so
 * nothing here is differentiated. Shapes were checked when the graph was built.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Attributes, sizeOf } from "../../../graph/index.js";
import { adamwScalars } from "./adamw-scalars.js";
import type { Kernel, Kernels } from "./kernel.js";
import type { Lowering } from "./lowering.js";
import { transposeSteps } from "./merge-transpose.js";
import { windowKernels } from "./windows.js";

const unary =
  (f: (x: tf.Tensor) => tf.Tensor) =>
  ([x]: readonly [tf.Tensor]) => [f(x)];

const binary =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  ([a, b]: readonly [tf.Tensor, tf.Tensor]) => [f(a, b)];

const sumLast = (x: tf.Tensor): tf.Tensor => tf.sum(x, -1, true);
const meanLast = (x: tf.Tensor): tf.Tensor => tf.mean(x, -1, true);
/** [..., D] as [rows, D]. */
const asRows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, x.shape[x.rank - 1] as number]);
/** [..., D] -> [D] */
const sumRows = (x: tf.Tensor): tf.Tensor => tf.sum(asRows(x), 0);

/** A product with ones: TensorFlow.js's own broadcast copies element by element on wasm and stops at rank 5 on WebGL. */
const broadcastTo = (x: tf.Tensor, shape: readonly number[]): tf.Tensor => {
  if (tf.util.arraysEqual(x.shape, [...shape])) return x;
  if (x.dtype === "bool") return tf.cast(broadcastTo(tf.cast(x, "int32"), shape), "bool");
  return tf.mul(x, tf.ones([...shape], x.dtype as "float32" | "int32"));
};

/** Flat, because WebGPU chooses between tensors of up to four axes only. */
const select: Kernel<"select"> = ([condition, a, b]) => {
  const { assertAndGetBroadcastShape: common } = tf.broadcast_util;
  const shape = common(condition.shape, common(a.shape, b.shape));
  const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(broadcastTo(x, shape), [-1]);
  return [tf.reshape(tf.where(flat(condition), flat(a), flat(b)), shape)];
};

const castOf =
  ({ toFloat }: Lowering): Kernel<"cast"> =>
  ([x], { dtype }) => {
    if (x.dtype === dtype) return [tf.clone(x)];
    if (dtype === "float32") return [toFloat(x)];
    return [dtype === "int32" ? tf.cast(x, "int32") : tf.notEqual(x, tf.scalar(0, x.dtype as "float32" | "int32"))];
  };

const reduction =
  (f: (x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor) =>
  ([x]: readonly [tf.Tensor], { axes, keep }: Attributes["sum"]) => [
    axes.length === 0 ? tf.clone(x) : f(x, [...axes], keep),
  ];

/** The largest of -x first is the smallest of x first; on ties the lower index comes first, so the order is stable. */
const argSort: Kernel<"argSort"> = ([x]) => [tf.topk(tf.neg(x), x.shape[x.rank - 1], true).indices];

const concat: Kernel<"concat"> = (parts, { axis }) => {
  const filled = parts.filter((part) => part.size > 0);
  return [filled.length === 1 ? tf.clone(filled[0] as tf.Tensor) : tf.concat(filled, axis)];
};

const transposeOf =
  ({ transposeAxes }: Lowering): Kernel<"transpose"> =>
  ([x], { permutation }) => {
    const steps = transposeSteps(x.shape, permutation, transposeAxes);
    const moved = steps.reduce((y, step) => tf.transpose(tf.reshape(y, [...step.shape]), [...step.permutation]), x);
    return [
      tf.reshape(
        moved,
        permutation.map((axis) => x.shape[axis] as number),
      ),
    ];
  };

/** Axis by axis where `changes`, seen as [outer, n, inner]: WebGPU slices and pads tensors of up to four axes only. */
function axisByAxis(
  x: tf.Tensor,
  changes: (axis: number) => boolean,
  change: (x: tf.Tensor3D, axis: number) => tf.Tensor,
): tf.Tensor {
  return x.shape.reduce((y, _, axis) => {
    if (!changes(axis)) return y;
    const [before, after] = [y.shape.slice(0, axis), y.shape.slice(axis + 1)];
    const changed = change(tf.reshape(y, [sizeOf(before), y.shape[axis] as number, sizeOf(after)]), axis);
    return tf.reshape(changed, [...before, changed.shape[1] as number, ...after]);
  }, tf.clone(x));
}

const sliceOf =
  ({ slice }: Lowering): Kernel<"slice"> =>
  ([x], { begin, size }) => [
    axisByAxis(
      x,
      (axis) => size[axis] !== x.shape[axis],
      (y, axis) => slice(y, begin[axis] as number, size[axis] as number),
    ),
  ];

const pad: Kernel<"pad"> = ([x], { before, after }) => [
  axisByAxis(
    x,
    (axis) => before[axis] !== 0 || after[axis] !== 0,
    (y, axis) =>
      tf.pad(y, [
        [0, 0],
        [before[axis] as number, after[axis] as number],
        [0, 0],
      ]),
  ),
];

/** [B, K] indices into rows of B blocks of `count` rows, as one list. */
const rowNumbers = (index: tf.Tensor, count: number): tf.Tensor1D => {
  const batch = index.shape[0] as number;
  if (batch === 1) return tf.reshape(index, [-1]);
  const starts = tf.tensor2d(
    Int32Array.from({ length: batch }, (_, b) => b * count),
    [batch, 1],
  );
  return tf.reshape(tf.add(index, starts), [-1]);
};

const tokenKernels = ({ takeRows, putRows }: Lowering): Pick<Kernels, "takeTokens" | "putTokens"> => ({
  takeTokens: ([x, index]) => {
    const [batch, count, ...token] = x.shape as [number, number, ...number[]];
    const taken = takeRows(tf.reshape(x, [batch * count, sizeOf(token)]), rowNumbers(index, count));
    return [tf.reshape(taken, [batch, index.shape[1] as number, ...token])];
  },
  putTokens: ([x, index], { count }) => {
    const [batch, given, ...token] = x.shape as [number, number, ...number[]];
    const rows = tf.reshape(x, [batch * given, sizeOf(token)]) as tf.Tensor2D;
    return [tf.reshape(putRows(rows, rowNumbers(index, count), batch * count), [batch, count, ...token])];
  },
});

const tableKernels = ({ takeRows, addRows }: Lowering): Pick<Kernels, "lookUp" | "scatterAdd"> => ({
  lookUp: ([table, index]) => {
    const [count, ...row] = table.shape as [number, ...number[]];
    const taken = takeRows(tf.reshape(table, [count, sizeOf(row)]), tf.reshape(index, [-1]));
    return [tf.reshape(taken, [...index.shape, ...row])];
  },
  scatterAdd: ([x, index], { count }) => {
    const row = x.shape.slice(index.rank);
    const rows = tf.reshape(x, [index.size, sizeOf(row)]) as tf.Tensor2D;
    return [tf.reshape(addRows(rows, tf.reshape(index, [-1]), count), [count, ...row])];
  },
});

const productKernels = ({ matmul, linear }: Lowering): Pick<Kernels, "matmul" | "linear" | "linearGrad"> => ({
  matmul: ([a, b], { transposeA, transposeB }) => [matmul(a, b, transposeA, transposeB)],
  linear: ([x, weight, bias]) => {
    const y = linear(asRows(x), weight as tf.Tensor2D, bias as tf.Tensor1D);
    return [tf.reshape(y, [...x.shape.slice(0, -1), weight.shape[0] as number])];
  },
  linearGrad: ([dy, x, weight], _, wanted) => {
    const rows = asRows(dy);
    return [
      wanted[0] ? tf.reshape(matmul(rows, weight, false, false), x.shape) : undefined,
      wanted[1] ? matmul(rows, asRows(x), true, false) : undefined,
      wanted[2] ? tf.sum(rows, 0) : undefined,
    ];
  },
});

const layerNorm: Kernel<"layerNorm"> = ([x, gamma, beta], { epsilon }) => {
  const mean = meanLast(x);
  const centred = tf.sub(x, mean);
  const rstd = tf.rsqrt(tf.add(meanLast(tf.square(centred)), epsilon));
  return [tf.add(tf.mul(tf.mul(centred, rstd), gamma), beta), mean, rstd];
};

const layerNormGrad: Kernel<"layerNormGrad"> = ([dy, x, gamma, mean, rstd], _, wanted) => {
  const normal = tf.mul(tf.sub(x, mean), rstd);
  const dx = (): tf.Tensor => {
    const scaled = tf.mul(dy, gamma);
    const along = tf.mul(normal, meanLast(tf.mul(scaled, normal)));
    return tf.mul(tf.sub(tf.sub(scaled, meanLast(scaled)), along), rstd);
  };
  return [
    wanted[0] ? dx() : undefined,
    wanted[1] ? sumRows(tf.mul(dy, normal)) : undefined,
    wanted[2] ? sumRows(dy) : undefined,
  ];
};

const softmaxGradient = (dy: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.mul(y, tf.sub(dy, sumLast(tf.mul(dy, y))));

/** The standard normal distribution function. */
const normalCdf = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

const geluGrad: Kernel<"geluGrad"> = ([dy, x]) => {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return [tf.mul(dy, tf.add(normalCdf(x), tf.mul(x, density)))];
};

const attentionKernels = ({ matmul }: Lowering): Pick<Kernels, "attention" | "attentionGrad"> => ({
  attention: ([q, k, v, bias], { scale }) => {
    const products = matmul(tf.mul(q, scale), k, false, true);
    const probabilities = tf.softmax(bias ? tf.add(products, bias) : products);
    return [matmul(probabilities, v, false, false), probabilities];
  },
  attentionGrad: ([dy, q, k, v, probabilities], { scale }, wanted) => {
    const dscores =
      wanted[0] || wanted[1] || wanted[3] ? softmaxGradient(matmul(dy, v, false, true), probabilities) : undefined;
    const dproducts = dscores && (wanted[0] || wanted[1]) ? tf.mul(dscores, scale) : undefined;
    return [
      dproducts && wanted[0] ? matmul(dproducts, k, false, false) : undefined,
      dproducts && wanted[1] ? matmul(dproducts, q, true, false) : undefined,
      wanted[2] ? matmul(probabilities, dy, true, false) : undefined,
      wanted[3] ? dscores : undefined,
    ];
  },
});

/** factor x + (1 - factor) y */
const blend = (x: tf.Tensor, y: tf.Tensor, factor: number): tf.Tensor =>
  tf.add(tf.mul(x, factor), tf.mul(y, 1 - factor));

const adamw: Kernel<"adamw"> = ([p, gradient, m, v, lr, step], attributes, _, shared) => {
  const { rate, scale, remaining } = adamwScalars(lr, step, attributes, shared);
  const mean = blend(m, gradient, attributes.beta1);
  const square = blend(v, tf.square(gradient), attributes.beta2);
  const size = tf.add(tf.mul(tf.sqrt(square), scale), attributes.epsilon);
  return [tf.sub(tf.mul(p, remaining), tf.mul(tf.div(mean, size), rate)), mean, square];
};

const sgd: Kernel<"sgd"> = ([p, gradient, m, lr], { momentum, decay, nesterov }) => {
  const decayed = decay === 0 ? gradient : tf.add(gradient, tf.mul(p, decay));
  const mean = tf.add(tf.mul(m, momentum), decayed);
  const direction = nesterov ? tf.add(decayed, tf.mul(mean, momentum)) : mean;
  return [tf.sub(p, tf.mul(direction, lr)), mean];
};

const accumulate: Kernel<"accumulate"> = ([sum, x, keep], { share }) => [tf.add(tf.mul(sum, keep), tf.mul(x, share))];

/** `tf.sign` of the wasm backend gives 0 for numbers below 1e-7. */
const sign = (x: tf.Tensor): tf.Tensor =>
  tf.sub(tf.cast(tf.greater(x, 0), "float32"), tf.cast(tf.less(x, 0), "float32"));

/** The table of a backend. */
export const kernelsOf = (lowering: Lowering): Kernels => ({
  neg: unary(tf.neg),
  exp: unary(tf.exp),
  log: unary(tf.log),
  sqrt: unary(tf.sqrt),
  rsqrt: unary(tf.rsqrt),
  abs: unary(tf.abs),
  sign: unary(sign),
  erf: unary(tf.erf),
  tanh: unary(tf.tanh),
  sigmoid: unary(tf.sigmoid),
  softplus: unary(tf.softplus),
  sin: unary(tf.sin),
  cos: unary(tf.cos),
  floor: unary(tf.floor),

  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  less: binary(tf.less),
  lessEqual: binary(tf.lessEqual),
  equal: binary(tf.equal),

  select,
  cast: castOf(lowering),
  stopGradient: unary(tf.clone),
  barrier: unary(tf.clone),

  sum: reduction(tf.sum),
  reduceMax: reduction(tf.max),
  argMax: unary((x) => tf.argMax(x, -1)),
  argSort,

  reshape: ([x], { shape }) => [tf.reshape(x, [...shape])],
  transpose: transposeOf(lowering),
  broadcast: ([x], { shape }) => [tf.clone(broadcastTo(x, shape))],
  concat,
  slice: sliceOf(lowering),
  pad,
  ...tokenKernels(lowering),
  ...tableKernels(lowering),

  ...productKernels(lowering),
  layerNorm,
  layerNormGrad,
  softmax: unary(tf.softmax),
  softmaxGrad: binary(softmaxGradient),
  gelu: unary((x) => tf.mul(x, normalCdf(x))),
  geluGrad,
  ...attentionKernels(lowering),
  ...windowKernels(lowering),

  adamw,
  sgd,
  accumulate,
});
