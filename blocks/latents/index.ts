/** Latents: a few tokens between encoder and decoder, into which the encoder puts all that it has seen. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { Code } from "../code.js";
import { divisors } from "../divisors.js";
import {
  appendTokens,
  askedTokens,
  askingParameters,
  askTokens,
  lastTokens,
  linear,
  linearParameters,
  tokensParameter,
  transformerBlock,
} from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { int, type Params, type ValuesOf } from "../params.js";
import { latentFrom } from "../sources.js";
import { blockOptions, transformerBlocks, transformerParams, transformerRequirements } from "../vision-transformer.js";

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
  /** Layers through which latents pass by themselves, which can be asked for in the place of the encoder's; if absent, there are none. */
  layers?(p: ValuesOf<P>): number;
  parameters(p: ValuesOf<P>, context: LatentsContext): T;
  /** tokens [B, V, D] that the encoder would be given -> what it is given instead, [B, V + count, D] */
  enter(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor): Tensor;
  /**
   * What the encoder makes of that, [B, extra + V + count, D] -> the latents [B, count, width]. `padding`: what is added to scores of attention to
   * it, [B, 1, 1, extra + V + count], so that nothing attends to what is behind the end of a text; null: all of it counts.
   */
  leave(code: Code, p: ValuesOf<P>, w: Weights<T>, encoded: Tensor, padding: Tensor | null): Tensor;
  /** Present where latents ask the tokens: what each attends to, of what the encoder makes of them, [B, heads, count, V]; rows sum to 1. */
  attention?(code: Code, p: ValuesOf<P>, w: Weights<T>, encoded: Tensor, padding: Tensor | null): Tensor;
}

export const defineLatents = <const P extends Params, T extends ParameterTree>(latents: Latents<P, T>): Latents<P, T> =>
  ofKind("latents", latents);

const ofTokens: Requirement<Params, ModelContext> = {
  name: "of-tokens",
  at: null,
  doc: "The encoder gives tokens.",
  holds: (_, { maps }) => maps === null,
  say: () => "latents are made of tokens, and this encoder gives maps",
  help: () => "use an encoder of tokens, such as `vit`, or remove `latents`",
};

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
  requires: [ofTokens],
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

const askingParams = transformerParams("latents");

/** Learned vectors that ask what the encoder gives, and then each other. */
export const asking = defineLatents({
  name: "asking",
  summary:
    "Learned vectors that ask all tokens in one cross-attention, and then each other, block by block: a Perceiver.",
  source: "Jaegle et al., Perceiver IO, ICLR 2022; Xie et al., Self-Guided Masked Autoencoders, ICLR 2024",
  since: "0.2",
  params: {
    count: int({ min: 1, max: 65_536, doc: "Latents of a sample." }),
    ...askingParams,
    asking_heads: int({ min: 1, max: 1024, default: 1, doc: "Heads of the cross-attention; they divide the width." }),
    of: latentFrom,
  },
  requires: [
    ...transformerRequirements,
    ofTokens,
    {
      name: "of-one-layer",
      at: null,
      doc: "The encoder has one layer at most: layers that can be asked for are those of the latents.",
      holds: (_, { layers }) => layers === null || layers === 1,
      say: (_, { layers }) => `the encoder has ${layers} layers, and latents that ask have layers of their own`,
      help: () => "use `embedded`, which leaves tokens as they are",
    },
    {
      name: "asking-heads-divide-width",
      at: "asking_heads",
      doc: "The heads of the cross-attention divide the width.",
      holds: (p) => p.width % p.asking_heads === 0,
      say: (p) => `width ${p.width} is not divisible by ${p.asking_heads} heads`,
      help: (p) => `write one of ${divisors(p.width).slice(0, 6).join(", ")}`,
    },
  ],
  count: (p) => p.count,
  width: (p) => p.width,
  layers: (p) => p.depth,
  parameters: (p, { encoderWidth }) => ({
    asking: askingParameters({
      count: p.count,
      width: p.width,
      hidden: p.width * p.mlp_ratio,
      from: encoderWidth,
    }),
    latent_blocks: transformerBlocks(p),
  }),
  enter: (_, __, ___, tokens) => tokens,
  leave(code, p, w, encoded, padding) {
    const asked = code.let(
      "asked",
      askTokens,
      encoded,
      w.asking,
      { heads: p.asking_heads },
      ...(padding ? [padding] : []),
    );
    return code.fold("latents", w.latent_blocks, asked, transformerBlock, blockOptions(p));
  },
  attention: (code, p, w, encoded, padding) =>
    code.let("attention", askedTokens, encoded, w.asking, { heads: p.asking_heads }, ...(padding ? [padding] : [])),
});

export const latents = [asking, learned] as const;
