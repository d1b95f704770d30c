/** The pre-norm transformer block of ViT: multi-head self-attention and a two-layer perceptron, each with a residual. */

import type { Builder, Mul, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { attentionWeights, selfAttention } from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import {
  type LayerNormParameters,
  type LinearParameters,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
} from "./linear.js";

export type TransformerBlockParameters<D extends number, Q extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: { readonly qkv: LinearParameters<D, Q>; readonly proj: LinearParameters<D, D> };
  readonly norm2: LayerNormParameters<D>;
  readonly mlp: { readonly fc1: LinearParameters<D, H>; readonly fc2: LinearParameters<H, D> };
};

/** Queries, keys and values come from one matrix with 3 `width` outputs. */
export const transformerBlockParameters = declarer(
  "transformerBlockParameters",
  (size: { readonly width: number; readonly hidden: number }): TransformerBlockParameters<number, number, number> => ({
    norm1: layerNormParameters(size.width),
    attn: { qkv: linearParameters(size.width, 3 * size.width), proj: linearParameters(size.width, size.width) },
    norm2: layerNormParameters(size.width),
    mlp: { fc1: linearParameters(size.width, size.hidden), fc2: linearParameters(size.hidden, size.width) },
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => TransformerBlockParameters<D, Mul<3, D>, H>;

/** `count` branches of the same form, named by their index. */
export const repeat = declarer("repeat", <T extends object>(count: number, branch: T): readonly T[] =>
  Array.from({ length: count }, () => branch),
) as <T extends object>(count: number, branch: T) => readonly T[];

/** x [B, N, D] -> x + Attention(LN x), then + MLP(LN x). Exact GELU; scores scaled by headWidth^-0.5. */
export const transformerBlock = layer(
  "transformerBlock",
  <N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<["B", N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: number },
  ): Tensor<["B", N, D]> => {
    const attended = g.add(x, selfAttention(g, layerNorm(g, x, w.norm1), w.attn, o.heads));
    const inner = g.gelu(linear(g, layerNorm(g, attended, w.norm2), w.mlp.fc1)); // [B, N, H]
    return g.add(attended, linear(g, inner, w.mlp.fc2));
  },
);

/** x [B, N, D] -> what its tokens attend to in a block whose weights these are, [B, heads, N, N]; rows sum to 1. */
export const blockAttention = layer(
  "blockAttention",
  <N extends number, D extends number, Q extends number, H extends number, const A extends number>(
    g: Builder,
    x: Tensor<["B", N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: A },
  ): Tensor<["B", A, N, N]> => claim(attentionWeights(g, layerNorm(g, x, w.norm1), w.attn, o.heads)),
);
