/** The uniformity term of U-MAE: it keeps the features of a batch from collapsing into few directions. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import { firstToken, layerNorm, layerNormParameters, meanSquaredCosine, meanToken, takeTokens } from "../nn/index.js";
import { choice } from "../params.js";
import { patchesOf, visiblePatchesOf } from "../sequence.js";
import { defineLoss, type LossInputs, lossWeight } from "./contract.js";

/** The latent of the visible patches, [B, V, D]; all latents, where the model has some. */
function visiblePatches(code: Code, inputs: LossInputs): Tensor {
  const { latent, extra } = inputs;
  if (inputs.latents) return latent;
  const count = (latent.shape[1] as number) - extra;
  if (!inputs.masked) return patchesOf(code, "patches", latent, { extra, count });
  const { visible } = inputs;
  if (count === visible.shape[1]) return visiblePatchesOf(code, "seen", latent, visible, extra);
  return code.let("seen", takeTokens, patchesOf(code, "patches", latent, { extra, count }), visible);
}

export const uniformity = defineLoss({
  name: "uniformity",
  summary: "Mean squared cosine between the latents of all pairs of samples of a batch.",
  source: "Zhang et al., How Mask Matters: Towards Theoretical Understandings of Masked Autoencoders, NeurIPS 2022",
  since: "0.1",
  params: {
    on: choice({
      default: "class_token",
      options: {
        class_token: "The class token, after the encoder's final normalisation is applied once more.",
        patches: "The mean of the visible patches' tokens, after a LayerNorm of its own.",
      },
      doc: "What stands for a sample.",
    }),
    weight: { ...lossWeight, default: 0.01 },
  },
  requires: [
    {
      name: "class-token",
      at: "on",
      doc: "The encoder has a class token where that stands for a sample.",
      holds: (p, { extraTokens }) => p.on !== "class_token" || extraTokens === null || extraTokens > 0,
      say: () => "the encoder has no class token",
      help: () => "use `on: patches`, or an encoder with a class token",
    },
  ],
  acrossSamples: true,
  uneven: true,
  weight: (p) => p.weight,
  parameters: (p, { encoderWidth }) => (p.on === "patches" ? { fc_norm: layerNormParameters(encoderWidth) } : {}),
  build(code, _, inputs, w) {
    const features = w.fc_norm
      ? code.let("pooled", layerNorm, code.let("mean", meanToken, visiblePatches(code, inputs)), w.fc_norm)
      : inputs.normalize(code.let("class_token", firstToken, inputs.latent)); // [B, D]
    return code.let("uniformity", meanSquaredCosine, features);
  },
});
