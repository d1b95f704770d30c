/** A transformer over the patches of each region: the batch and channel designs of R-MAE. */

import { invariant } from "../../graph/index.js";
import {
  addMemory,
  addPositions,
  joinRegions,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  repeat,
  restoreRegions,
  seenTokens,
  tokenParameter,
  transformerBlock,
  transformerBlockParameters,
} from "../nn/index.js";
import { transformerRequirements } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";
import { neck, neckParameters, regionDecoderParams } from "./region-neck.js";

export const regionVit = defineDecoder({
  name: "region_vit",
  summary:
    "A transformer over the patches of each region, or of all of them as channels, with the latent of the pixels added.",
  source: "Nguyen et al., R-MAE: Regions Meet Masked Autoencoders, ICLR 2024, section 3",
  since: "0.1",
  params: regionDecoderParams,
  requires: transformerRequirements,
  width: (p) => p.width,
  readsEncoded: true,
  parameters: (p, { encoderWidth, outputs, codeWidth, sequences }) => ({
    ...neckParameters(p, encoderWidth),
    region_decoder_embed: linearParameters(codeWidth ?? p.width, p.width),
    region_mask_token: tokenParameter(p.width),
    region_blocks: repeat(p.depth, transformerBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
    region_norm: layerNormParameters(p.width),
    region_pred: linearParameters(p.width, outputs / sequences),
  }),
  decode(code, p, w, inputs) {
    const { encoded, visible, restore, positions, extra } = inputs;
    invariant(encoded, "the checker lets it stand only beside an encoder");
    const { patches } = neck(code, p, w, inputs);
    const [all, tokens] = encoded.tokens.shape as [number, number];
    const seen = visible.shape[1] as number;
    const normed = encoded.normalize(encoded.tokens);
    const own = tokens === seen ? normed : code.let("own", seenTokens, normed, visible, { extra: tokens - seen });
    const embedded = code.let("embedded", linear, own, w.region_decoder_embed); // [B', V, Dd]
    const whole = code.let("whole", restoreRegions, embedded, w.region_mask_token, restore); // [B', N, Dd]
    const placed = code.let("placed_regions", addPositions, whole, positions, { extra });
    const informed = code.let("informed", addMemory, placed, patches);
    const y = code.fold("y", w.region_blocks, informed, transformerBlock, { heads: p.heads });
    const maps = code.let("maps", linear, code.let("normed", layerNorm, y, w.region_norm), w.region_pred);
    const regions = all / (restore.shape[0] as number);
    const values = maps.shape[2] as number;
    return regions === 1 ? maps : code.let("prediction", joinRegions, maps, { values, regions });
  },
});
