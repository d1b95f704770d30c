/** Masks of Self-Guided MAE: of two clusters that the model's own features fall into, one is hidden, and a few hints of it stay visible. */

import { mostAttendedLast, nearToCluster, withHints } from "../nn/index.js";
import { choice } from "../params.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import {
  drawnOrder,
  featureParams,
  featureRequirements,
  layerOf,
  movingShare,
  shareParam,
  uniformNumbers,
  waiting,
} from "./guides.js";
import { byRatio } from "./ratio.js";

export const selfGuided = defineMask({
  name: "self_guided",
  summary:
    "Hides the patches that are nearest to one of two clusters of the encoder's own features, but for a few hints.",
  source:
    "Shin et al., Self-Guided Masked Autoencoder, NeurIPS 2024; which cluster is hidden, and how it is found: own definition",
  since: "0.2",
  params: {
    ...featureParams,
    cut: choice({
      default: "normalized",
      options: {
        normalized: "By the sign of the second eigenvector of the normalised cut of their similarities.",
        principal: "By the sign of their first principal component, which is cheaper.",
      },
      doc: "How the patches are told apart.",
    }),
    hints: shareParam({
      default: 0.05,
      doc: "Share of the hidden patches that is shown instead; as many others are hidden. It may move from the end of `warmup` on.",
    }),
  },
  requires: featureRequirements,
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    asks: "features",
    numbers: (_, grid) => 2 * tokenCount(grid),
    draw: (_, grid, stream) => uniformNumbers(2 * tokenCount(grid), stream),
    moving: (p) => ({ chance: waiting(p), hints: movingShare(p.hints, p) }),
    order(code, p, { features, drawn, draws, moving, hidden }) {
      const near = code.let("near", nearToCluster, features(layerOf(p)), { cut: p.cut });
      const ranked = code.let("ranked", mostAttendedLast, near, drawn, moving.chance, { hidden, mix: "share" });
      return code.let("order", withHints, ranked, draws, moving.hints, { hidden });
    },
  },
});
