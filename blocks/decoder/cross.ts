/** The decoder of SiamMAE: the tokens of one view ask, block by block, what the encoder makes of another one. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  askingBlock,
  askingBlockParameters,
  joinTokens,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  repeat,
  tokenParameter,
} from "../nn/index.js";
import { labels, type ValuesOf } from "../params.js";
import { latentFrom } from "../sources.js";
import { transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder, ofTokens } from "./contract.js";
import { ownPatches, wholeSequence } from "./trunk.js";

const params = {
  ...transformerParams("decoder"),
  asks: labels({
    views: true,
    doc: "The views that are asked, such as `[first]`. They are not predicted themselves.",
  }),
  of: latentFrom,
};

export const cross = defineDecoder({
  name: "cross",
  summary: "The tokens of a view ask other views by cross-attention, and then each other, in every block.",
  source: "Gupta et al., Siamese Masked Autoencoders, NeurIPS 2023, section 3",
  since: "0.2",
  params,
  requires: [...transformerRequirements, ofTokens],
  width: (p) => p.width,
  reads: "either",
  asks: (p) => p.asks,
  parameters: (p, { encoderWidth, outputs, whole }) => ({
    decoder_embed: linearParameters(encoderWidth, p.width),
    ...(whole ? {} : { mask_token: tokenParameter(p.width) }),
    decoder_blocks: repeat(p.depth, askingBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
    decoder_norm: layerNormParameters(p.width),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code: Code, p: ValuesOf<typeof params>, w, inputs) {
    const asked = inputs.asked.map((view) => {
      const narrow = code.let("asked_narrow", linear, view.latent, w.decoder_embed);
      return wholeSequence(code, narrow, w.mask_token, view); // [B, extra + N, Dd]
    });
    const memory = asked.reduce((first, second) => code.let("memory", joinTokens, first, second)) as Tensor;
    const narrow = code.let("narrow", linear, inputs.latent, w.decoder_embed);
    const asking = wholeSequence(code, narrow, w.mask_token, inputs);
    const x = code.fold("x", w.decoder_blocks, asking, askingBlock, memory, { heads: p.heads });
    const normed = code.let("normed", layerNorm, ownPatches(code, x, inputs), w.decoder_norm);
    return code.let("prediction", linear, normed, w.decoder_pred);
  },
});
