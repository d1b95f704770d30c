/** How little what a head says of places overlaps with the classes that stand there. */

import { placeDice } from "../nn/index.js";
import { flag, real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const dice = defineLoss({
  name: "dice",
  summary:
    "How far the Dice overlap of the shares of each class with the places where it stands is from 1: its mean over classes and samples.",
  source: "Milletari et al., V-Net, 3DV 2016; as MONAI's DiceLoss with softmax",
  since: "0.2",
  params: {
    background: flag({ default: true, doc: "Whether the overlap of class 0 counts too." }),
    squared: flag({ default: false, doc: "Whether the sums below the fraction are of squares." }),
    smooth: real({
      min: 0,
      openMin: true,
      default: 1e-5,
      doc: "What is added above and below the fraction, so that a class that is nowhere has the overlap 1.",
    }),
    weight: lossWeight,
  },
  compares: "places",
  weight: (p) => p.weight,
  build: (code, p, { prediction, target }) =>
    code.let("overlap", placeDice, prediction, target, {
      first: p.background ? 0 : 1,
      squared: p.squared,
      smooth: p.smooth,
    }),
});
