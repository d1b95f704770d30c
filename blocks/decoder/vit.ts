/** The decoder of MAE: a light transformer, then a linear layer for each patch. */

import { layerNorm, linear, linearParameters } from "../nn/index.js";
import { flag, optional } from "../params.js";
import { patchesOf } from "../sequence.js";
import { keyBias, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";
import { trunk, trunkParameters } from "./trunk.js";

export const vit = defineDecoder({
  name: "vit",
  summary: "A light transformer over all tokens, hidden ones standing as copies of one learned token.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: {
    ...transformerParams("decoder"),
    key_bias: keyBias,
    embed_bias: optional(
      flag({ doc: "Whether the layer from the encoder's width to the decoder's has a bias; absent: it has one." }),
    ),
  },
  requires: transformerRequirements,
  width: (p) => p.width,
  parameters: (p, { encoderWidth, outputs }) => ({
    ...trunkParameters(p, encoderWidth),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, inputs) {
    const patches = patchesOf(code, "patches", trunk(code, p, w, inputs), inputs); // [B, N, Dd]
    return code.let("prediction", linear, code.let("normed", layerNorm, patches, w.decoder_norm), w.decoder_pred);
  },
});
