/** Pixels as target: raw, or normalised patch by patch. */

import { defineTarget } from "./contract.js";
import { moreThanOneValue, normalizeParam, patchLength, patchPicture, patchPixels, patchValues } from "./patches.js";

export const pixels = defineTarget({
  name: "pixels",
  summary: "The pixels of each patch, raw or normalised by the patch's own mean and deviation.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: {
    normalize: normalizeParam,
  },
  requires: [moreThanOneValue],
  outputs: patchLength,
  build: (code, p, { array }, { grid }) => patchValues(code, p.normalize, array, grid),
  pixels: (code, p, prediction, { array }, { grid }) => patchPixels(code, p.normalize, prediction, array, grid),
  picture: (p, context) => patchPicture(p.normalize, context),
});
