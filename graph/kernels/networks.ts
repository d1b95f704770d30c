/** Reference kernels of matrix products and of the composites, with their gradients. */

import type { Form } from "../form.js";
import type { OperationName } from "../operations.js";
import { sizeOf, type TypedArray } from "../shape.js";
import { broadcastStrides, type Kernels, largest, places, rows, type Value, zeros } from "./kernel.js";

/** A matrix inside an array: where it starts and the steps between rows and between columns. */
interface Matrix {
  readonly data: TypedArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/** out[start..] += a [m, k] b [k, n], row major. */
function addProduct(out: TypedArray, start: number, a: Matrix, b: Matrix, m: number, k: number, n: number): void {
  const { data: left, column: alongA } = a;
  const { data: right, row: alongB } = b;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = out[start + i * n + j] as number;
      let [atA, atB] = [a.start + i * a.row, b.start + j * b.column];
      for (let l = 0; l < k; l++, atA += alongA, atB += alongB) sum += (left[atA] as number) * (right[atB] as number);
      out[start + i * n + j] = sum;
    }
  }
}

/** Matrix number `i` of the last two axes; the first one again where there is only one. */
function matrixAt({ data, shape }: Value, i: number, transposed: boolean): Matrix {
  const [r = 1, c = 1] = shape.slice(-2);
  const start = shape.length === 2 ? 0 : i * r * c;
  return transposed ? { data, start, row: 1, column: c } : { data, start, row: c, column: 1 };
}

/** a b of the last two axes, batched; with the matrices' sizes given by the result and by `inner`. */
function product(
  form: Form,
  a: Value,
  b: Value,
  inner: number,
  transposed: { a?: boolean; b?: boolean } = {},
): TypedArray {
  const out = zeros(form);
  const [m = 1, n = 1] = form.shape.slice(-2);
  const batch = sizeOf(form.shape.slice(0, -2));
  for (let i = 0; i < batch; i++) {
    const left = matrixAt(a, i, transposed.a ?? false);
    const right = matrixAt(b, i, transposed.b ?? false);
    addProduct(out, i * m * n, left, right, m, inner, n);
  }
  return out;
}

/** All leading axes as one: [..., D] -> [R, D]. */
const flat = (x: Value): Value => {
  const { count, width } = rows(x);
  return { ...x, shape: [count, width] };
};

const form = (...shape: readonly number[]): Form => ({ shape, dtype: "float32" });

/** Sum over all rows, one number a column. */
function columnSums(x: Value): TypedArray {
  const { width } = rows(x);
  const sums = zeros(form(width));
  for (let i = 0; i < x.data.length; i++) sums[i % width] = (sums[i % width] as number) + (x.data[i] as number);
  return sums;
}

/** `f` of each element and its index, in a new array. */
function mapped(x: Form, f: (i: number) => number): TypedArray {
  const y = zeros(x);
  for (let i = 0; i < y.length; i++) y[i] = f(i);
  return y;
}

/** Mean of each row of what `f` gives. */
function rowMeans(x: Form, f: (i: number) => number): Float64Array {
  const { count, width } = rows(x);
  const means = new Float64Array(count);
  for (let i = 0; i < count * width; i++) {
    const r = Math.floor(i / width);
    means[r] = (means[r] as number) + f(i) / width;
  }
  return means;
}

function softmax(x: Value): TypedArray {
  const { count, width } = rows(x);
  const y = zeros(x);
  for (let r = 0; r < count; r++) {
    const row = x.data.subarray(r * width, (r + 1) * width);
    const most = largest(row); // exp never overflows
    let total = 0;
    for (let j = 0; j < width; j++) {
      const power = Math.exp((row[j] as number) - most);
      y[r * width + j] = power;
      total += power;
    }
    for (let j = 0; j < width; j++) y[r * width + j] = (y[r * width + j] as number) / total;
  }
  return y;
}

/** y (dy - sum of dy y over the row) */
function softmaxGrad(dy: Value, y: Value): TypedArray {
  const { width } = rows(y);
  const at = (i: number): number => (dy.data[i] as number) * (y.data[i] as number);
  const means = rowMeans(y, at);
  return mapped(y, (i) => at(i) - (y.data[i] as number) * (means[Math.floor(i / width)] as number) * width);
}

/** x in the form of `like`, plus what broadcasts to it. */
function plus(x: TypedArray, bias: Value, like: Form): TypedArray {
  const at = places(like.shape, broadcastStrides(bias.shape, like.shape));
  return x.map((value, i) => value + (bias.data[at[i] as number] as number));
}

const scaled = (x: TypedArray, scale: number): TypedArray => x.map((value) => value * scale);

export const networks = {
  matmul: ([a, b], { transposeA, transposeB }, [y]) => {
    const inner = a.shape.at(transposeA ? -2 : -1) ?? 1;
    return [product(y, a, b, inner, { a: transposeA, b: transposeB })];
  },

  linear: ([x, weight, bias], _, [y]) => {
    const { count, width } = rows(x);
    const [o = 0] = weight.shape;
    const out = product(form(count, o), flat(x), weight, width, { b: true });
    return [mapped(y, (i) => (out[i] as number) + (bias.data[i % o] as number))];
  },
  linearGrad: ([dy, x, weight]) => {
    const { count, width } = rows(x);
    const [o = 0] = weight.shape;
    return [
      product(form(count, width), flat(dy), weight, o),
      product(form(o, width), flat(dy), flat(x), count, { a: true }),
      columnSums(dy),
    ];
  },

  layerNorm: ([x, gamma, beta], { epsilon }, [y]) => {
    const { width } = rows(x);
    const value = (i: number): number => x.data[i] as number;
    const mean = rowMeans(x, value);
    const centred = (i: number): number => value(i) - (mean[Math.floor(i / width)] as number);
    const rstd = rowMeans(x, (i) => centred(i) ** 2).map((variance) => 1 / Math.sqrt(variance + epsilon));
    const normal = (i: number): number => centred(i) * (rstd[Math.floor(i / width)] as number);
    const out = mapped(y, (i) => normal(i) * (gamma.data[i % width] as number) + (beta.data[i % width] as number));
    return [out, mean, rstd];
  },
  // With n = (x - mean) rstd and s = dy gamma: dx = rstd (s - mean s - n mean(s n)).
  layerNormGrad: ([dy, x, gamma, mean, rstd]) => {
    const { width } = rows(x);
    const row = (i: number): number => Math.floor(i / width);
    const normal = (i: number): number =>
      ((x.data[i] as number) - (mean.data[row(i)] as number)) * (rstd.data[row(i)] as number);
    const slope = (i: number): number => (dy.data[i] as number) * (gamma.data[i % width] as number);
    const means = rowMeans(x, slope);
    const along = rowMeans(x, (i) => slope(i) * normal(i));
    const dx = mapped(
      x,
      (i) =>
        (rstd.data[row(i)] as number) * (slope(i) - (means[row(i)] as number) - normal(i) * (along[row(i)] as number)),
    );
    const weighted = { ...x, data: mapped(x, (i) => (dy.data[i] as number) * normal(i)) };
    return [dx, columnSums(weighted), columnSums(dy)];
  },

  softmax: ([x]) => [softmax(x)],
  softmaxGrad: ([dy, y]) => [softmaxGrad(dy, y)],

  attention: ([q, k, v, bias], { scale }, [y, probabilities]) => {
    const [d = 1] = q.shape.slice(-1);
    const [m = 1] = probabilities.shape.slice(-1);
    const products = scaled(product(probabilities, q, k, d, { b: true }), scale);
    const scores = { ...probabilities, data: bias ? plus(products, bias, probabilities) : products };
    const p = { ...probabilities, data: softmax(scores) };
    return [product(y, p, v, m), p.data];
  },
  attentionGrad: ([dy, q, k, v, p], { scale }, [dq, dk, dv]) => {
    const [n = 1, d = 1] = q.shape.slice(-2);
    const [m = 1] = k.shape.slice(-2);
    const dp = { ...p, data: product(p, dy, v, d, { b: true }) };
    const dscores = softmaxGrad(dp, p);
    const scores = { ...p, data: scaled(dscores, scale) };
    return [
      product(dq, scores, k, m),
      product(dk, scores, q, n, { a: true }),
      product(dv, p, dy, n, { a: true }),
      dscores,
    ];
  },
} satisfies Partial<Kernels<OperationName>>;
