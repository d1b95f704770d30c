/**
 * The closed set of operations and their attributes. Each phase (shape rules, gradients, cost, reference kernels,
 * every executor) has one table over this set, typed so that a forgotten operation does not compile.
 *
 * Notation: `[...]` any leading axes. Axes in attributes are never negative. Broadcasting is NumPy's.
 */

import type { DType, TypedArray } from "./shape.js";

/** No attributes. */
type None = Readonly<Record<never, never>>;

/** Elementwise, of one float32 input. */
export const unaryOperations = [
  "neg",
  "exp",
  "log",
  "sqrt",
  "rsqrt",
  "abs",
  // -1, 0 or 1; gradient zero
  "sign",
  "erf",
  "tanh",
  "sigmoid",
  // log(1 + exp x), without overflow
  "softplus",
  "sin",
  "cos",
  "floor",
] as const;

/** Elementwise, of two inputs of one dtype, broadcast. */
export const arithmeticOperations = ["add", "sub", "mul", "div", "maximum", "minimum"] as const;

/** As those, and they give bool. */
export const comparisons = ["less", "lessEqual", "equal"] as const;

export type UnaryOperation = (typeof unaryOperations)[number];
export type ArithmeticOperation = (typeof arithmeticOperations)[number];
export type Comparison = (typeof comparisons)[number];

/** Windows that walk along the axes between samples and channels; one number an axis. What lies around counts as padding. */
export interface Windows {
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Windows of a convolution: the steps between the numbers of one, and into how many groups the channels are split. */
export interface Convolution extends Windows {
  readonly dilations: readonly number[];
  readonly groups: number;
}

export interface Attributes extends Readonly<Record<UnaryOperation | ArithmeticOperation | Comparison, None>> {
  // -- sources
  /** Fed by name, or kept as state. */
  input: { readonly name: string; readonly shape: readonly number[]; readonly dtype: DType };
  /** `data` has the full size, or one element that fills the shape. */
  constant: { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype: DType };

  // -- choice and conversion
  /** (condition bool, a, b) -> a where true; broadcast. */
  select: None;
  cast: { readonly dtype: DType };
  /** The same value; no gradient flows back. */
  stopGradient: None;
  /** The same value, which no pass takes for x: what is computed from it is computed, though it was computed from x before. */
  barrier: None;

  // -- reductions; `keep` leaves axes of size 1
  sum: { readonly axes: readonly number[]; readonly keep: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keep: boolean };
  /** Index of the largest along the last axis -> int32 `[...]`; the first on ties. */
  argMax: None;
  /** Order that sorts the last axis ascending -> int32, same shape; stable. */
  argSort: None;

  // -- movement
  reshape: { readonly shape: readonly number[] };
  transpose: { readonly permutation: readonly number[] };
  broadcast: { readonly shape: readonly number[] };
  concat: { readonly axis: number };
  slice: { readonly begin: readonly number[]; readonly size: readonly number[] };
  /** Zeros around; one pair an axis. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** (x [B, N, ...], index int32 [B, K]) -> [B, K, ...]. The indices of a row are distinct. */
  takeTokens: None;
  /** (x [B, K, ...], index int32 [B, K]) -> [B, N, ...] with x[b, k] at row index[b, k], zero elsewhere. */
  putTokens: { readonly count: number };
  /** (table [N, ...], index int32 [I]) -> [I, ...], of any number of axes I: rows of a table, each as often as it is asked for. */
  lookUp: None;
  /** (x [I, ...], index int32 [I]) -> [count, ...]: the sum of the rows that share an index, zero where there is none. */
  scatterAdd: { readonly count: number };

  // -- matrix products; batch axes equal, or absent in one of the two
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };

  // -- composites that backends do better than the sum of their parts
  /** (x [..., I], weight [O, I], bias [O]) -> x weight^T + bias [..., O]; as torch.nn.Linear. */
  linear: None;
  /** (dy [..., O], x [..., I], weight [O, I]) -> dx [..., I], dweight [O, I], dbias [O] */
  linearGrad: None;
  /** (x [..., D], gamma [D], beta [D]) -> y [..., D], mean [..., 1], rstd [..., 1]; biased variance. */
  layerNorm: { readonly epsilon: number };
  /** (dy, x, gamma, mean, rstd) -> dx, dgamma [D], dbeta [D] */
  layerNormGrad: None;
  /** Over the last axis. */
  softmax: None;
  /** (dy, y) -> dx */
  softmaxGrad: None;
  /** x Phi(x), by erf. */
  gelu: None;
  /** (dy, x) -> dx */
  geluGrad: None;
  /** (q, k, v [B, h, N|M, d], bias?) -> softmax(q k^T scale + bias) v [B, h, N, d], probabilities [B, h, N, M]; bias broadcasts to them. */
  attention: { readonly scale: number };
  /** (dy, q, k, v, probabilities) -> dq, dk, dv, and the gradient of what softmax was applied to [B, h, N, M] */
  attentionGrad: { readonly scale: number };

  // -- windows over one to three axes S; T are their places
  /** (x [B, ...S, I], weight [O, I / groups, ...K]) -> y [B, ...T, O]; padded with zeros. As torch.nn.functional.conv2d, channels last. */
  conv: Convolution;
  /** (y [B, ...T, O], weight [O, I / groups, ...K]) -> x [B, ...S, I]: the transpose of conv in x. As conv_transpose2d. */
  convInput: Convolution & { readonly size: readonly number[] };
  /** (x [B, ...S, I], y [B, ...T, O]) -> weight [O, I / groups, ...K]: the transpose of conv in its weight. */
  convWeight: Convolution & { readonly kernel: readonly number[] };
  /** x [B, ...S, C] -> [B, ...T, C]; padding is never the largest. */
  maxPool: Windows & { readonly kernel: readonly number[] };
  /** (dy [B, ...T, C], x [B, ...S, C]) -> dx: to the first of the largest in each window. */
  maxPoolGrad: Windows & { readonly kernel: readonly number[] };

  // -- optimizers; scalars `lr` [] and `step` [] (float32, from 1) are inputs, so that one graph serves all steps
  /** (p, g, m, v, lr, step) -> p, m, v; decoupled decay: p <- p - lr (m^ / (sqrt v^ + epsilon) + decay p). As torch.optim.AdamW. */
  adamw: { readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly decay: number };
  /** (p, g, m, lr) -> p, m; m <- momentum m + (g + decay p), p <- p - lr (m, or g + momentum m with nesterov). As torch.optim.SGD. */
  sgd: { readonly momentum: number; readonly decay: number; readonly nesterov: boolean };
  /** (sum, x, keep []) -> keep sum + share x. With keep 0 a new sum begins. */
  accumulate: { readonly share: number };
}

export type OperationName = keyof Attributes;
