/** How far the numbers that a head says of places are from those that stand there. */

import { placeError } from "../nn/index.js";
import { choice, real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const placeErrorLoss = defineLoss({
  name: "place_error",
  summary: "How far the number of each place is: its mean over the places of a sample that have one, and over samples.",
  source: "Eigen et al., Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, NeurIPS 2014",
  since: "0.2",
  params: {
    measure: choice({
      default: "l1",
      options: {
        l1: "The difference.",
        l2: "Its square.",
        scale_invariant:
          "The square of the difference of logarithms, less a share of the square of their mean: what is wrong by one factor everywhere costs less.",
      },
      doc: "What counts of each place.",
    }),
    share: real({
      min: 0,
      max: 1,
      default: 0.5,
      doc: "Share of `scale_invariant` that one factor of all places is let off; 1: all of it.",
    }),
    weight: lossWeight,
  },
  compares: "values",
  weight: (p) => p.weight,
  build: (code, p, { prediction, target }) =>
    code.let("error", placeError, prediction, target, { measure: p.measure, share: p.share }),
});
