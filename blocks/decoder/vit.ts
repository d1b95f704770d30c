/** The light transformer that MAE decodes with: it sees the latent, one learned token for each hidden patch, and positions. */

import {
  addPositions,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  patchTokens,
  restoreTokens,
  tokenParameter,
  transformerBlock,
} from "../nn/index.js";
import { transformerBlocks, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";

export const vit = defineDecoder({
  name: "vit",
  summary: "A light transformer over all tokens, hidden ones standing as copies of one learned token.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: transformerParams("decoder"),
  requires: transformerRequirements,
  width: (p) => p.width,
  parameters: (p, { encoderWidth, outputs }) => ({
    decoder_embed: linearParameters(encoderWidth, p.width),
    mask_token: tokenParameter(p.width),
    decoder_blocks: transformerBlocks(p),
    decoder_norm: layerNormParameters(p.width),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, { latent, restore, positions, extra, count }) {
    const narrow = code.let("narrow", linear, latent, w.decoder_embed); // [B, extra + V, Dd]
    const restored = code.let("restored", restoreTokens, narrow, w.mask_token, restore, { extra }); // [B, extra + N, Dd]
    const placed = code.let("placed", addPositions, restored, positions, { extra: 0 });
    const x = code.fold("x", w.decoder_blocks, placed, transformerBlock, { heads: p.heads });
    const patches = extra === 0 ? x : code.let("patches", patchTokens, x, { extra, count }); // [B, N, Dd]
    return code.let("prediction", linear, code.let("normed", layerNorm, patches, w.decoder_norm), w.decoder_pred);
  },
});
