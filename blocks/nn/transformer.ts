/** The pre-norm transformer block of ViT: multi-head self-attention and a two-layer perceptron, each with a residual. */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { attentionWeights, type SelfAttentionParameters, selfAttention, selfAttentionParameters } from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import { type LayerNormParameters, layerNorm, layerNormParameters } from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";

export type TransformerBlockParameters<D extends number, Q extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: SelfAttentionParameters<D, Q>;
  readonly norm2: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, H>;
};

export const transformerBlockParameters = declarer(
  "transformerBlockParameters",
  (size: {
    readonly width: number;
    readonly hidden: number;
    readonly keyBias?: boolean;
  }): TransformerBlockParameters<number, number, number> => ({
    norm1: layerNormParameters(size.width),
    attn: selfAttentionParameters(size.width, size.keyBias),
    norm2: layerNormParameters(size.width),
    mlp: perceptronParameters(size.width, size.hidden),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
  /** Absent: keys have a bias, as queries and values have. */
  readonly keyBias?: boolean;
}) => TransformerBlockParameters<D, Mul<3, D>, H>;

/** `count` branches of the same form, named by their index. */
export const repeat = declarer("repeat", <T extends object>(count: number, branch: T): readonly T[] =>
  Array.from({ length: count }, () => branch),
) as <T extends object>(count: number, branch: T) => readonly T[];

/** x [B, N, D] -> x + Attention(LN x), then + MLP(LN x). Exact GELU; scores scaled by headWidth^-0.5. */
export const transformerBlock = layer(
  "transformerBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: number },
  ): Tensor<[B, N, D]> => {
    const attended = g.add(x, selfAttention(g, layerNorm(g, x, w.norm1), w.attn, o.heads));
    return g.add(attended, perceptron(g, layerNorm(g, attended, w.norm2), w.mlp));
  },
);

/** x [B, N, D] -> what its tokens attend to in a block whose weights these are, [B, heads, N, N]; rows sum to 1. */
export const blockAttention = layer(
  "blockAttention",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number, const A extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: A },
  ): Tensor<[B, A, N, N]> => claim(attentionWeights(g, layerNorm(g, x, w.norm1), w.attn, o.heads)),
);
