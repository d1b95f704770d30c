/** A transformer over the patches of each region: the batch and channel designs of R-MAE. */

import {
  addMemory,
  addPositions,
  joinRegions,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  restoreRegions,
  tokenParameter,
  transformerBlock,
} from "../nn/index.js";
import { transformerBlocks } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";
import { neck, neckParameters, regionDecoder, seenRegions } from "./region-neck.js";

export const regionVit = defineDecoder({
  name: "region_vit",
  summary:
    "A transformer over the patches of each region, or of all of them as channels, with the latent of the pixels added.",
  source: "Nguyen et al., R-MAE: Regions Meet Masked Autoencoders, ICLR 2024, section 3",
  since: "0.1",
  ...regionDecoder,
  parameters: (p, { encoderWidth, outputs, codeWidth, sequences }) => ({
    ...neckParameters(p, encoderWidth),
    region_decoder_embed: linearParameters(codeWidth ?? p.width, p.width),
    region_mask_token: tokenParameter(p.width),
    region_blocks: transformerBlocks(p),
    region_norm: layerNormParameters(p.width),
    region_pred: linearParameters(p.width, outputs / sequences),
  }),
  decode(code, p, w, inputs) {
    const { groups, own: at } = inputs;
    // Of several groups, none has rows for tokens in front.
    const extra = groups.length === 1 ? inputs.extra : 0;
    const seen = seenRegions(code, inputs);
    const { patches } = neck(code, p, w, inputs);
    const own = seen.patches(seen.normalize(seen.tokens));
    const embedded = code.let("embedded", linear, own, w.region_decoder_embed); // [B', V, Dd]
    const whole = code.let("whole", restoreRegions, embedded, w.region_mask_token, seen.restore); // [B', N, Dd]
    const placed = code.let("placed_regions", addPositions, whole, groups[at]?.positions, { extra });
    const informed = code.let("informed", addMemory, placed, patches);
    const y = code.fold("y", w.region_blocks, informed, transformerBlock, { heads: p.heads });
    const maps = code.let("maps", linear, code.let("normed", layerNorm, y, w.region_norm), w.region_pred);
    const values = maps.shape[2] as number;
    return seen.regions === 1 ? maps : code.let("prediction", joinRegions, maps, { values, regions: seen.regions });
  },
});
