/**
 * Transformer blocks whose tokens ask others by cross-attention: queries of which nothing but what they have taken goes on, and tokens that take
 * from a memory before they take from themselves.
 */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import {
  type CrossAttentionParameters,
  crossAttention,
  crossAttentionParameters,
  type SelfAttentionParameters,
  selfAttention,
  selfAttentionParameters,
} from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import { type LayerNormParameters, layerNorm, layerNormParameters } from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";

export type CrossBlockParameters<D extends number, K extends number, H extends number> = {
  readonly query_norm: LayerNormParameters<D>;
  readonly context_norm: LayerNormParameters<D>;
  readonly decoder: CrossAttentionParameters<D, K>;
  readonly out_norm: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, H>;
};

/** Named as official MultiMAE names them. */
export const crossBlockParameters = declarer(
  "crossBlockParameters",
  (size: { readonly width: number; readonly hidden: number }): CrossBlockParameters<number, number, number> => ({
    query_norm: layerNormParameters(size.width),
    context_norm: layerNormParameters(size.width),
    decoder: crossAttentionParameters(size.width),
    out_norm: layerNormParameters(size.width),
    mlp: perceptronParameters(size.width, size.hidden),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => CrossBlockParameters<D, Mul<2, D>, H>;

/**
 * queries [B, N, D] and context [B, M, D] -> x + MLP(LN x) [B, N, D] of x = Attention(LN queries, LN context): of the queries
 * themselves nothing goes on.
 */
export const crossBlock = layer(
  "crossBlock",
  <B extends Rows, N extends number, M extends number, D extends number, K extends number, H extends number>(
    g: Builder,
    queries: Tensor<[B, N, D]>,
    context: Tensor<[NoInfer<B>, M, NoInfer<D>]>,
    w: Weights<CrossBlockParameters<NoInfer<D>, K, H>>,
    o: { readonly heads: number },
  ): Tensor<[B, N, D]> => {
    const told = layerNorm(g, claim<[B, M, D]>(context), w.context_norm);
    const taken = crossAttention(g, layerNorm(g, queries, w.query_norm), told, w.decoder, o.heads);
    return g.add(taken, perceptron(g, layerNorm(g, taken, w.out_norm), w.mlp));
  },
);

export type AskingBlockParameters<D extends number, Q extends number, K extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly asked_norm: LayerNormParameters<D>;
  readonly cross_attn: CrossAttentionParameters<D, K>;
  readonly norm2: LayerNormParameters<D>;
  readonly attn: SelfAttentionParameters<D, Q>;
  readonly norm3: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, H>;
};

export const askingBlockParameters = declarer(
  "askingBlockParameters",
  (size: {
    readonly width: number;
    readonly hidden: number;
  }): AskingBlockParameters<number, number, number, number> => ({
    norm1: layerNormParameters(size.width),
    asked_norm: layerNormParameters(size.width),
    cross_attn: crossAttentionParameters(size.width),
    norm2: layerNormParameters(size.width),
    attn: selfAttentionParameters(size.width),
    norm3: layerNormParameters(size.width),
    mlp: perceptronParameters(size.width, size.hidden),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => AskingBlockParameters<D, Mul<3, D>, Mul<2, D>, H>;

/** x [B, N, D] and memory [B, M, D] -> x, which has taken from memory, then from itself, then passed a perceptron, each with a residual. */
export const askingBlock = layer(
  "askingBlock",
  <
    B extends Rows,
    N extends number,
    M extends number,
    D extends number,
    Q extends number,
    K extends number,
    H extends number,
  >(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<AskingBlockParameters<NoInfer<D>, Q, K, H>>,
    memory: Tensor<[NoInfer<B>, M, NoInfer<D>]>,
    o: { readonly heads: number },
  ): Tensor<[B, N, D]> => {
    const asked = layerNorm(g, claim<[B, M, D]>(memory), w.asked_norm);
    const told = g.add(x, crossAttention(g, layerNorm(g, x, w.norm1), asked, w.cross_attn, o.heads));
    const mixed = g.add(told, selfAttention(g, layerNorm(g, told, w.norm2), w.attn, o.heads));
    return g.add(mixed, perceptron(g, layerNorm(g, mixed, w.norm3), w.mlp));
  },
);
