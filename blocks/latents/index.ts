/** Latents: a few tokens between encoder and decoder, into which the encoder puts all that it has seen. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import { appendTokens, lastTokens, linear, linearParameters, tokensParameter } from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { int, type Params, type ValuesOf } from "../params.js";
import { latentFrom } from "../sources.js";

export interface LatentsContext {
  /** Features of a token of the encoder. */
  readonly encoderWidth: number;
}

export interface Latents<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** Latent tokens of a sample. */
  count(p: ValuesOf<P>): number;
  /** Features of one. */
  width(p: ValuesOf<P>): number;
  parameters(p: ValuesOf<P>, context: LatentsContext): T;
  /** tokens [B, V, D] that the encoder would be given -> what it is given instead, [B, V + count, D] */
  enter(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor): Tensor;
  /** What the encoder makes of that, [B, extra + V + count, D] -> the latents [B, count, width] */
  leave(code: Code, p: ValuesOf<P>, w: Weights<T>, encoded: Tensor): Tensor;
}

export const defineLatents = <const P extends Params, T extends ParameterTree>(latents: Latents<P, T>): Latents<P, T> =>
  ofKind("latents", latents);

/** Learned tokens that pass the encoder behind all others, and of which alone something goes on. */
export const learned = defineLatents({
  name: "learned",
  summary:
    "Learned tokens that pass the encoder behind all others; what becomes of them, made narrow, is all that a decoder reads.",
  source: "Yu et al., An Image is Worth 32 Tokens (TiTok), NeurIPS 2024; Chen et al., MAETok, ICML 2025, section 3.1",
  since: "0.2",
  params: {
    count: int({ min: 1, max: 65_536, doc: "Latent tokens of a sample." }),
    width: int({ min: 1, max: 65_536, doc: "Features of a latent token: a linear layer makes them of the encoder's." }),
    of: latentFrom,
  },
  requires: [
    {
      name: "of-tokens",
      at: null,
      doc: "The encoder gives tokens.",
      holds: (_, { maps }) => maps === null,
      say: () => "learned tokens pass an encoder among others, and this one gives maps",
      help: () => "use an encoder of tokens, such as `vit`, or remove `latents`",
    },
  ],
  count: (p) => p.count,
  width: (p) => p.width,
  parameters: (p, { encoderWidth }) => ({
    latent_tokens: tokensParameter(p.count, encoderWidth),
    latent_pos_embed: tokensParameter(p.count, encoderWidth),
    quant_conv: linearParameters(encoderWidth, p.width),
  }),
  enter: (code, _, w, tokens) => code.let("asking", appendTokens, tokens, w.latent_tokens, w.latent_pos_embed),
  leave: (code, p, w, encoded) =>
    code.let("latents", linear, code.let("answers", lastTokens, encoded, { count: p.count }), w.quant_conv),
});

export const latents = [learned] as const;
