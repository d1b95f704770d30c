/** The decoder of MAE: a light transformer, then a linear layer for each patch. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import { layerNorm, linear, linearParameters } from "../nn/index.js";
import type { Weights } from "../parameters.js";
import { flag, optional, type ValuesOf } from "../params.js";
import { keyBias, normEpsilon, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";
import { ownPatches, trunk, trunkParameters } from "./trunk.js";

const params = {
  ...transformerParams("decoder"),
  key_bias: keyBias,
  embed_bias: optional(
    flag({ doc: "Whether the layer from the encoder's width to the decoder's has a bias; absent: it has one." }),
  ),
  norm_epsilon: normEpsilon,
};

type DecoderValues = ValuesOf<typeof params>;

const headParameters = (p: Pick<DecoderValues, "width">, outputs: number) => ({
  decoder_pred: linearParameters(p.width, outputs),
});

type TrunkWeights = Weights<ReturnType<typeof trunkParameters>>;

/** patches [B, N, Dd] -> prediction [B, N, P] */
function predict(
  code: Code,
  p: Pick<DecoderValues, "norm_epsilon">,
  w: TrunkWeights,
  head: Weights<ReturnType<typeof headParameters>>,
  patches: Tensor,
): Tensor {
  const options = p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];
  const normed = code.let("normed", layerNorm, patches, w.decoder_norm, ...options);
  return code.let("prediction", linear, normed, head.decoder_pred);
}

export const vit = defineDecoder({
  name: "vit",
  summary: "A light transformer over all tokens, hidden ones standing as copies of one learned token.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params,
  requires: transformerRequirements,
  width: (p) => p.width,
  reads: "either",
  parameters: (p, { encoderWidth, outputs, whole }) => ({
    ...trunkParameters(p, encoderWidth, whole),
    ...headParameters(p, outputs),
  }),
  several: {
    parameters: (p: DecoderValues, { encoderWidth, whole }) => trunkParameters(p, encoderWidth, whole),
    head: headParameters,
    decode: trunk,
    predict,
  },
  decode(code, p, w, inputs) {
    const patches = ownPatches(code, trunk(code, p, w, inputs), inputs); // [B, N, Dd]
    return predict(code, p, w, w, patches);
  },
});
