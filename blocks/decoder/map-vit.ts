/** The decoder of MAE over maps: the visible places of the deepest one, a learned token for each hidden one, and positions of its own. */

import type { Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { layerNorm, linear, linearParameters, sinCosPositions, takeTokens } from "../nn/index.js";
import type { Params } from "../params.js";
import { transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder, ofHidden, ofMaps } from "./contract.js";
import { trunk, trunkParameters } from "./trunk.js";

const params = transformerParams("decoder");

const widthOfPositions: Requirement<typeof params & Params, ModelContext> = {
  name: "width-of-positions",
  at: "width",
  doc: "The width is divisible into a sine and a cosine for each axis: of two axes, by 4.",
  holds: ({ width }, { array }) => width % (2 * array.axes.length) === 0,
  say: ({ width }, { array }) =>
    `its positions need a width divisible by ${2 * array.axes.length}, and ${width} is not`,
};

export const mapVit = defineDecoder({
  name: "map_vit",
  summary:
    "A light transformer over the places of the deepest map, hidden ones standing as copies of one learned token.",
  source: "Gao et al., ConvMAE: Masked Convolution Meets Masked Autoencoders, NeurIPS 2022",
  since: "0.2",
  params,
  requires: [ofMaps, ofHidden, ...transformerRequirements, widthOfPositions],
  width: () => null,
  reads: "maps",
  parameters(p, { encoderWidth, outputs, maps }) {
    const stride = maps?.levels.at(-1)?.stride ?? 1;
    const counts = (maps?.sizes ?? []).map((size) => size / stride);
    return {
      ...trunkParameters(p, encoderWidth, false),
      decoder_pos_embed: sinCosPositions({ counts, extra: 0, width: p.width }),
      decoder_pred: linearParameters(p.width, outputs),
    };
  },
  decode(code, p, w, { latent, places, count }) {
    const seen = places ? code.let("seen", takeTokens, latent, places.visible) : latent; // [B, V, D]
    const only = {
      ...{ input: null, count, visible: seen.shape[1] as number, varies: false, places },
      ...{ positions: w.decoder_pos_embed as Tensor, again: null, turned: null, mark: null },
    };
    const around = { whole: false, extra: 0, front: null, padding: null, joint: null };
    const x = trunk(code, p, w, { ...around, latent: seen, groups: [only] }); // [B, N, Dd]
    const normed = code.let("normed", layerNorm, x, w.decoder_norm);
    return code.let("prediction", linear, normed, w.decoder_pred);
  },
});
