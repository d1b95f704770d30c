/** Multi-head attention of a sequence to itself and to another, with the projections around it. Parts of layers, not layers. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { claim } from "./layer.js";
import {
  type LinearParameters,
  linear,
  linearParameters,
  type ProjectionParameters,
  project,
  projectionParameters,
} from "./linear.js";
import { type Turns, turned } from "./rotary.js";

/** Queries, keys and values come from one matrix with 3 `width` outputs; with one bias, with one of queries and one of values, or with none. */
export type SelfAttentionParameters<D extends number, Q extends number> = {
  readonly qkv: ProjectionParameters<D, Q> & { readonly bias?: Parameter<[Q]> };
  readonly q_bias?: Parameter<[D]>;
  readonly v_bias?: Parameter<[D]>;
  readonly proj: LinearParameters<D, D>;
};

/** Which of queries, keys and values have a bias. */
type Biased = "all" | "no key" | "none";

export function selfAttentionParameters(
  width: number,
  biased: Biased = "all",
): SelfAttentionParameters<number, number> {
  const proj = linearParameters(width, width);
  if (biased === "all") return { qkv: linearParameters(width, 3 * width), proj };
  const qkv = projectionParameters(width, 3 * width);
  if (biased === "none") return { qkv, proj };
  return {
    qkv,
    q_bias: parameter([width], { kind: "zeros" }),
    v_bias: parameter([width], { kind: "zeros" }),
    proj,
  };
}

/** x [B, N, D] -> queries, keys and values [B, N, 3 D]. */
function projected<B extends Rows, N extends number, D extends number, Q extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  { qkv, q_bias, v_bias }: Weights<SelfAttentionParameters<D, Q>>,
): Tensor<[B, N, Q]> {
  if (qkv.bias) return linear(g, x, { weight: qkv.weight, bias: qkv.bias });
  if (!q_bias || !v_bias) return project(g, x, { weight: qkv.weight });
  const [width] = q_bias.shape as readonly [number];
  const bias = g.concat([q_bias, g.constant(new Float32Array(width), [width]), v_bias], 0);
  return linear(g, x, { weight: qkv.weight, bias: claim<[Q]>(bias) });
}

/**
 * x [B, N, D] -> [B, N, D]. The 3 D outputs of `qkv` are ordered [q, k, v] x head x feature. `bias` is added to the scores and broadcasts to
 * [B, heads, N, N]. `turns`: by which queries and keys are turned.
 */
export function selfAttention<B extends Rows, N extends number, D extends number, Q extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  w: Weights<SelfAttentionParameters<D, Q>>,
  heads: number,
  bias?: Tensor,
  turns?: Turns,
): Tensor<[B, N, D]> {
  const [q, k, v] = headsOf(g, projected(g, x, w), 3, heads) as [Heads, Heads, Heads];
  return attended(g, x, [turnedHeads(g, q, turns), turnedHeads(g, k, turns), v], w.proj, bias);
}

const turnedHeads = (g: Builder, heads: Heads, turns: Turns | undefined): Heads =>
  turns ? claim(turned(g, heads, turns)) : heads;

/** `tau`: of each head, what the cosine of a query and a key is divided by. */
export type CosineAttentionParameters<D extends number, Q extends number> = SelfAttentionParameters<D, Q> & {
  readonly tau: Parameter<[number]>;
};

export const cosineAttentionParameters = (width: number, heads: number): CosineAttentionParameters<number, number> => ({
  ...selfAttentionParameters(width),
  tau: parameter([heads], { kind: "ones" }),
});

/** No head divides by less. */
const leastTau = 0.01;

/** As `selfAttention`, with the scores of Swin V2: of queries and keys their directions alone count. */
export function cosineAttention<B extends Rows, N extends number, D extends number, Q extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  w: Weights<CosineAttentionParameters<D, Q>>,
  bias: Tensor,
): Tensor<[B, N, D]> {
  const [heads] = w.tau.shape as readonly [number];
  const [q, k, v] = headsOf(g, projected(g, x, w), 3, heads) as [Heads, Heads, Heads];
  const tau = g.reshape(g.maximum(w.tau, leastTau), [1, heads, 1, 1]);
  const sharpened = claim<[Rows, number, number, number]>(g.div(directions(g, q), tau));
  return attended(g, x, [sharpened, directions(g, k), v], w.proj, bias, 1);
}

/** Vectors [..., D] at length 1; those that are hardly longer than zero stay shorter. */
const directions = (g: Builder, x: Heads): Heads =>
  g.mul(x, g.rsqrt(g.maximum(g.sum(g.mul(x, x), [-1], "keep"), 1e-12)));

/** x [B, N, D] -> what each of x attends to in `selfAttention`, [B, heads, N, N]. */
export function attentionWeights<B extends Rows, N extends number, D extends number, Q extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  w: Weights<SelfAttentionParameters<D, Q>>,
  heads: number,
  bias?: Tensor,
  turns?: Turns,
): Tensor<[B, number, N, N]> {
  const [q, k] = headsOf(g, projected(g, x, w), 3, heads).map((part) => turnedHeads(g, part, turns)) as [Heads, Heads];
  const scores = g.mul(g.matmul(q, k, { b: true }), (q.shape[3] as number) ** -0.5);
  return claim(g.softmax(bias ? g.add(scores, bias) : scores));
}

/** Keys and values come from one matrix with 2 `width` outputs. */
export type CrossAttentionParameters<D extends number, K extends number> = {
  readonly q: LinearParameters<D, D>;
  readonly kv: LinearParameters<D, K>;
  readonly proj: LinearParameters<D, D>;
};

export const crossAttentionParameters = (width: number): CrossAttentionParameters<number, number> => ({
  q: linearParameters(width, width),
  kv: linearParameters(width, 2 * width),
  proj: linearParameters(width, width),
});

/** x [B, N, D], memory [B, M, D] -> what each of x takes from memory [B, N, D]. `kv` is ordered [k, v] x head x feature. */
export function crossAttention<B extends Rows, N extends number, D extends number, K extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  memory: Tensor<[NoInfer<B>, number, NoInfer<D>]>,
  w: Weights<CrossAttentionParameters<D, K>>,
  heads: number,
  bias?: Tensor,
): Tensor<[B, N, D]> {
  const [q] = headsOf(g, linear(g, x, w.q), 1, heads) as [Heads];
  const [k, v] = headsOf(g, linear(g, memory, w.kv), 2, heads) as [Heads, Heads];
  return attended(g, x, [q, k, v], w.proj, bias);
}

/** x [B, N, D], memory [B, M, E] -> what each of x attends to in `crossAttention`, [B, heads, N, M]. */
export function crossAttentionWeights(
  g: Builder,
  x: Tensor<[Rows, number, number]>,
  memory: Tensor<[Rows, number, number]>,
  w: Weights<CrossAttentionParameters<number, number>>,
  heads: number,
  bias?: Tensor,
): Tensor {
  const [q] = headsOf(g, linear(g, x, w.q), 1, heads) as [Heads];
  const [k] = headsOf(g, linear(g, memory, w.kv), 2, heads) as [Heads, Heads];
  const scores = g.mul(g.matmul(q, k, { b: true }), (q.shape[3] as number) ** -0.5);
  return g.softmax(bias ? g.add(scores, bias) : scores);
}

type Heads = Tensor<[Rows, number, number, number]>;

/** x [B, N, parts * D] -> its parts, [B, heads, N, D / heads] each. */
function headsOf(g: Builder, x: Tensor, parts: number, heads: number): readonly Heads[] {
  const [batch, tokens, outputs] = x.shape as [number, number, number];
  const perHead = outputs / parts / heads;
  const split = g.transpose(g.reshape(x, [batch, tokens, parts, heads, perHead]), [2, 0, 3, 1, 4]); // [parts, B, heads, N, D/heads]
  const part = (i: number): Heads =>
    claim(
      g.reshape(g.slice(split, [i, 0, 0, 0, 0], [1, batch, heads, tokens, perHead]), [batch, heads, tokens, perHead]),
    );
  return Array.from({ length: parts }, (_, i) => part(i));
}

/** Attends, joins the heads and projects, [B, N, D] as x. `scale`: what scores are multiplied by. */
function attended<B extends Rows, N extends number, D extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  [q, k, v]: readonly [Heads, Heads, Heads],
  proj: Weights<LinearParameters<D, D>>,
  bias?: Tensor,
  scale = (q.shape[3] as number) ** -0.5,
): Tensor<[B, N, D]> {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const [y] = g.attention(q, k, v, scale, bias); // [B, heads, N, D/heads]
  const joined = claim<[B, N, D]>(g.reshape(g.transpose(y, [0, 2, 1, 3]), [batch, tokens, width]));
  return linear(g, joined, proj);
}
