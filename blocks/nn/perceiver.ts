/** Learned vectors that ask all tokens in one cross-attention: what a Perceiver begins with, and what masks are told by it. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import type { Parameter, Weights } from "../parameters.js";
import { type CrossAttentionParameters, crossAttention, crossAttentionWeights } from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import { type LayerNormParameters, layerNorm, layerNormParameters, linearParameters } from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";
import { tokensParameter } from "./positions.js";

export type AskingParameters = {
  readonly latents: Parameter<[1, number, number]>;
  readonly norm1: LayerNormParameters<number>;
  readonly attn: CrossAttentionParameters<number, number>;
  readonly norm2: LayerNormParameters<number>;
  readonly mlp: PerceptronParameters<number, number>;
};

interface AskingSize {
  /** Vectors, and features of one. */
  readonly count: number;
  readonly width: number;
  /** Features within the perceptron. */
  readonly hidden: number;
  /** Features of the tokens that are asked. */
  readonly from: number;
}

export const askingParameters = declarer(
  "askingParameters",
  ({ count, width, hidden, from }: AskingSize): AskingParameters => ({
    latents: tokensParameter(count, width),
    norm1: layerNormParameters(width),
    attn: {
      q: linearParameters(width, width),
      kv: linearParameters(from, 2 * width),
      proj: linearParameters(width, width),
    },
    norm2: layerNormParameters(width),
    mlp: perceptronParameters(width, hidden),
  }),
);

/** The vectors of each sample, [B, M, D]. */
const repeated = (g: Builder, tokens: Tensor, latents: Tensor): Tensor<[Rows, number, number]> =>
  claim(g.broadcast(latents, [tokens.shape[0] as number, latents.shape[1] as number, latents.shape[2] as number]));

/**
 * tokens [B, V, E] -> x + MLP(LN x) of x = latents + Attention(LN latents, tokens), [B, M, D]. `bias`, where there is one, is added to the
 * scores.
 */
export const askTokens = layer(
  "askTokens",
  <B extends Rows, V extends number, M extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, V, number]>,
    w: Weights<AskingParameters>,
    o: { readonly heads: number },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<V>]>,
  ): Tensor<[B, M, D]> => {
    const asking = repeated(g, tokens, w.latents);
    const told = crossAttention(g, layerNorm(g, asking, w.norm1), claim(tokens), w.attn, o.heads, bias);
    const x = g.add(asking, told);
    return claim(g.add(x, perceptron(g, layerNorm(g, x, w.norm2), w.mlp)));
  },
);

/** tokens [B, V, E] -> what each of the vectors attends to in `askTokens`, [B, heads, M, V]; rows sum to 1. */
export const askedTokens = layer(
  "askedTokens",
  <B extends Rows, V extends number, M extends number, const A extends number>(
    g: Builder,
    tokens: Tensor<[B, V, number]>,
    w: Weights<AskingParameters>,
    o: { readonly heads: A },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<V>]>,
  ): Tensor<[B, A, M, V]> => {
    const asking = layerNorm(g, repeated(g, tokens, w.latents), w.norm1);
    return claim(crossAttentionWeights(g, asking, tokens, w.attn, o.heads, bias));
  },
);

/**
 * attention [B, A, M, N], draws [B, 2 Q] -> how much attention each token receives from Q of the vectors, [B, N]. Of each two numbers in
 * [0, 1) the first says which vector is asked, the second in which head, where heads are asked one by one.
 */
export const attentionOfLatents = layer(
  "attentionOfLatents",
  <N extends number>(
    g: Builder,
    attention: Tensor<["B", number, number, N]>,
    draws: Tensor<["B", number]>,
    o: { readonly heads: "random" | "mean" },
  ): Tensor<["B", N]> => {
    const [batch, heads, latents, tokens] = attention.shape as readonly [number, number, number, number];
    const asked = (draws.shape[1] as number) / 2;
    /** Of each pair a 1 in the place of what one of its numbers says, [B, Q, count]. */
    const chosen = (part: 0 | 1, count: number): Tensor => {
      const pairs = g.reshape(draws, [batch, asked, 2]);
      const share = g.slice(pairs, [0, 0, part], [batch, asked, 1]);
      const own = g.minimum(g.floor(g.mul(share, count)), count - 1); // rounding may reach the next one
      const all = g.constant(
        Float32Array.from({ length: count }, (_, i) => i),
        [count],
      );
      return g.cast(g.equal(g.broadcast(own, [batch, asked, count]), all), "float32");
    };
    const rows = chosen(0, latents); // [B, Q, M]
    const each = o.heads === "mean" ? g.broadcast(g.constant(1 / heads), [batch, asked, heads]) : chosen(1, heads);
    const weights = g.matmul(g.transpose(each, [0, 2, 1]), rows); // [B, A, M]
    const received = g.matmul(g.reshape(weights, [batch, heads, 1, latents]), g.stopGradient(attention));
    return claim(g.reshape(g.sum(received, [1]), [batch, tokens]));
  },
);
