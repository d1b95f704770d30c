/** One linear layer as decoder, as in SimMIM: hidden tokens already pass through the encoder. */

import { linear as linearLayer, linearParameters } from "../nn/index.js";
import { latentFrom } from "../sources.js";
import { defineDecoder } from "./contract.js";
import { ownPatches } from "./trunk.js";

export const linear = defineDecoder({
  name: "linear",
  summary: "One linear layer; hidden patches enter the encoder as copies of one learned token.",
  source: "Xie et al., SimMIM: A Simple Framework for Masked Image Modeling, CVPR 2022, section 3",
  since: "0.1",
  params: { of: latentFrom },
  width: () => null,
  reads: "every",
  parameters: (_, { encoderWidth, outputs }) => ({ decoder_pred: linearParameters(encoderWidth, outputs) }),
  decode(code, _, w, inputs) {
    const patches = ownPatches(code, inputs.latent, inputs);
    return code.let("prediction", linearLayer, patches, w.decoder_pred);
  },
});
