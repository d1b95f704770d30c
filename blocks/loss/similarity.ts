/** How far the first input, moved as a head says, is from the second. */

import { invariant } from "../../graph/index.js";
import { warpedCorrelation, warpedError } from "../nn/index.js";
import { choice, int } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const similarity = defineLoss({
  name: "similarity",
  summary: "How far the first input, moved as a head says, is from the second: squared errors, or local correlation.",
  source: "Balakrishnan et al., VoxelMorph, IEEE Transactions on Medical Imaging 2019",
  since: "0.2",
  params: {
    measure: choice({
      default: "mse",
      options: {
        mse: "The mean of squared errors.",
        ncc: "How far the mean squared correlation in windows around each place is from 1: for intensities that differ by a factor from place to place.",
      },
      doc: "What is compared.",
    }),
    window: int({ min: 3, max: 63, default: 9, doc: "Side of the windows of `ncc`, an odd number." }),
    weight: lossWeight,
  },
  requires: [
    {
      name: "odd-window",
      at: "window",
      doc: "Windows have a middle.",
      holds: ({ window }) => window % 2 === 1,
      say: ({ window }) => `a window of ${window} has no middle`,
      help: ({ window }) => `use ${window - 1} or ${window + 1}`,
    },
  ],
  compares: "moves",
  weight: (p) => p.weight,
  build(code, p, { prediction, pair }) {
    invariant(pair, "a loss of where places go is given two arrays");
    return p.measure === "mse"
      ? code.let("distance", warpedError, prediction, ...pair)
      : code.let("distance", warpedCorrelation, prediction, ...pair, { window: p.window });
  },
});
