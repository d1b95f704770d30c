/**
 * The builder's contract: what model code is written against. Each method records one operation and gives its output;
 * nothing is computed. Shape mistakes throw a `ShapeError` that names the operation and the shapes.
 * Methods keep the literal shape in their type where that is simple; the rest of `blocks/nn` states it by hand.
 */

import type { Graph, Node } from "./graph.js";
import type { ArithmeticOperation, Attributes, Comparison, UnaryOperation } from "./operations.js";
import type { Dims, DType, Rows, Tensor, TypedArray } from "./shape.js";

type UnaryMethod = <S extends Dims>(x: Tensor<S>) => Tensor<S>;

/** Broadcasts; a plain number is a constant. The shape in the type is that of the first operand. */
type BinaryMethod<T extends DType> = <S extends Dims>(a: Tensor<S>, b: Tensor | number) => Tensor<S, T>;

type ElementwiseMethods = Readonly<Record<UnaryOperation, UnaryMethod>> &
  Readonly<Record<ArithmeticOperation, BinaryMethod<"float32">>> &
  Readonly<Record<Comparison, BinaryMethod<"bool">>>;

export interface Builder extends ElementwiseMethods {
  /** What "B" stands for in this trace. */
  readonly batch: number;

  /** Whether layers do what they do while a model is trained, such as norming by the statistics of the batch. */
  readonly training: boolean;

  /** A tensor fed at each run. "B" in the shape is the batch, "8B" eight rows for each of its samples. */
  input<const S extends Dims, T extends DType = "float32">(name: string, shape: S, dtype?: T): Tensor<S, T>;
  /** A tensor the executor keeps from run to run. */
  state<const S extends Dims>(name: string, shape: S): Tensor<S, "float32">;
  /** A number becomes a scalar, or fills `shape`. */
  constant<const S extends Dims = []>(value: number | TypedArray, shape?: S, dtype?: DType): Tensor<S>;

  select<S extends Dims>(condition: Tensor<Dims, "bool">, a: Tensor<S>, b: Tensor | number): Tensor<S>;
  cast<S extends Dims, T extends DType>(x: Tensor<S>, dtype: T): Tensor<S, T>;
  stopGradient<S extends Dims>(x: Tensor<S>): Tensor<S>;
  barrier<S extends Dims>(x: Tensor<S>): Tensor<S>;

  /** No axes: all of them. Negative axes count from the end. */
  sum(x: Tensor, axes?: readonly number[], keep?: "keep"): Tensor;
  /** sum / count, as two operations. */
  mean(x: Tensor, axes?: readonly number[], keep?: "keep"): Tensor;
  reduceMax(x: Tensor, axes?: readonly number[], keep?: "keep"): Tensor;
  argMax(x: Tensor): Tensor<Dims, "int32">;
  argSort<S extends Dims>(x: Tensor<S>): Tensor<S, "int32">;

  reshape<const S extends Dims>(x: Tensor, shape: S): Tensor<S>;
  transpose(x: Tensor, permutation: readonly number[]): Tensor;
  broadcast<const S extends Dims>(x: Tensor, shape: S): Tensor<S>;
  concat(parts: readonly Tensor[], axis: number): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor;
  takeTokens<B extends Rows, D extends Dims, K extends number>(
    x: Tensor<[B, number, ...D]>,
    index: Tensor<[NoInfer<B>, K], "int32">,
  ): Tensor<[B, K, ...D]>;
  putTokens(x: Tensor, index: Tensor, count: number): Tensor;
  lookUp<N extends number, R extends Dims, I extends Dims>(
    table: Tensor<[N, ...R]>,
    index: Tensor<I, "int32">,
  ): Tensor<[...I, ...R]>;
  scatterAdd(x: Tensor, index: Tensor, count: number): Tensor;

  matmul(a: Tensor, b: Tensor, transpose?: { readonly a?: true; readonly b?: true }): Tensor;
  linear<L extends Dims, I extends number, O extends number>(
    x: Tensor<[...L, I]>,
    weight: Tensor<[O, I]>,
    bias: Tensor<[O]>,
  ): Tensor<[...L, O]>;
  linearGrad(dy: Tensor, x: Tensor, weight: Tensor): readonly [dx: Tensor, dweight: Tensor, dbias: Tensor];
  layerNorm<S extends Dims>(
    x: Tensor<S>,
    gamma: Tensor,
    beta: Tensor,
    epsilon: number,
  ): readonly [y: Tensor<S>, mean: Tensor, rstd: Tensor];
  layerNormGrad(
    dy: Tensor,
    x: Tensor,
    gamma: Tensor,
    mean: Tensor,
    rstd: Tensor,
  ): readonly [dx: Tensor, dgamma: Tensor, dbeta: Tensor];
  softmax<S extends Dims>(x: Tensor<S>): Tensor<S>;
  softmaxGrad<S extends Dims>(dy: Tensor<S>, y: Tensor<S>): Tensor<S>;
  gelu<S extends Dims>(x: Tensor<S>): Tensor<S>;
  geluGrad<S extends Dims>(dy: Tensor<S>, x: Tensor<S>): Tensor<S>;
  attention<S extends Dims>(
    q: Tensor<S>,
    k: Tensor,
    v: Tensor,
    scale: number,
    bias?: Tensor,
  ): readonly [y: Tensor<S>, probabilities: Tensor];
  attentionGrad(
    dy: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    probabilities: Tensor,
    scale: number,
  ): readonly [dq: Tensor, dk: Tensor, dv: Tensor, dscores: Tensor];

  conv(x: Tensor, weight: Tensor, attributes: Attributes["conv"]): Tensor;
  convInput(y: Tensor, weight: Tensor, attributes: Attributes["convInput"]): Tensor;
  convWeight(x: Tensor, y: Tensor, attributes: Attributes["convWeight"]): Tensor;
  maxPool(x: Tensor, attributes: Attributes["maxPool"]): Tensor;
  maxPoolGrad(dy: Tensor, x: Tensor, attributes: Attributes["maxPoolGrad"]): Tensor;

  adamw(
    p: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    lr: Tensor,
    step: Tensor,
    settings: Attributes["adamw"],
  ): readonly [p: Tensor, m: Tensor, v: Tensor];
  sgd(p: Tensor, gradient: Tensor, m: Tensor, lr: Tensor, settings: Attributes["sgd"]): readonly [p: Tensor, m: Tensor];
  accumulate(sum: Tensor, x: Tensor, keep: Tensor, share: number): Tensor;

  /** What a state becomes after the run, beside the updates that `finish` is told: running means, which no optimizer knows. */
  move(state: Tensor, next: Tensor): void;
  /** What a state becomes as far as it has been moved in this trace: the state itself, where it has not. */
  moved<S extends Dims>(state: Tensor<S, "float32">): Tensor<S, "float32">;

  /** Records a node's operation once more, on other inputs. */
  again(node: Node, inputs: readonly Tensor[]): readonly Tensor[];

  /**
   * Nodes made inside carry the name in their `scope`; scopes nest with "/". With "counted", scopes of one name in one place
   * are told apart: `linear#1`, `linear#2`.
   */
  scope<R>(name: string, body: () => R, counted?: "counted"): R;

  /** The graph of everything recorded that the outputs and updates need, and all declared feeds and state. */
  finish(results: {
    readonly outputs: Readonly<Record<string, Tensor>>;
    readonly updates?: Readonly<Record<string, Tensor>>;
  }): Graph;
}
