/** Cross-entropy between what a head says of places and the classes that stand there. */

import { placeEntropy } from "../nn/index.js";
import { real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const placeCrossEntropy = defineLoss({
  name: "place_cross_entropy",
  summary:
    "Cross-entropy of the class of each place: its mean over the places of a sample that have one, and over samples.",
  source: "Long et al., Fully Convolutional Networks for Semantic Segmentation, CVPR 2015",
  since: "0.2",
  params: {
    background: real({
      min: 0,
      openMin: true,
      default: 1,
      doc: "What a place of class 0 counts beside one of another class: less than 1 where most places are nothing.",
    }),
    weight: lossWeight,
  },
  compares: "places",
  weight: (p) => p.weight,
  build: (code, p, { prediction, target }) =>
    code.let("entropy", placeEntropy, prediction, target, { background: p.background }),
});
