/** Cross-entropy between a head's logits and the labels of the samples. */

import { crossEntropy as crossEntropyLayer } from "../nn/index.js";
import { ratio } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const crossEntropy = defineLoss({
  name: "cross_entropy",
  summary: "Mean cross-entropy of a head's classes to the labels of the data.",
  source: "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, section 7",
  since: "0.1",
  params: {
    smoothing: ratio({ min: 0, max: 1, default: 0, doc: "Share of each label that is spread over all classes." }),
    weight: lossWeight,
  },
  compares: "classes",
  weight: (p) => p.weight,
  build: (code, p, { prediction, target }) =>
    code.let("entropy", crossEntropyLayer, prediction, target, { smoothing: p.smoothing }),
});
