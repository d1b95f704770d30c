/** Masks of SemMAE: at first the same share of every part of the image is hidden, at last whole parts. */

import { clusters, mostAttendedLast, partsHidden, placesOfOrder } from "../nn/index.js";
import { defineMask } from "./contract.js";
import { drawnOrder, featureParams, layerOf, partsParam, partsRequirements, waiting } from "./guides.js";
import { byRatio } from "./ratio.js";

export const semanticParts = defineMask({
  name: "semantic_parts",
  summary:
    "Hides patches inside the parts of an image at first, and whole parts in the end; parts are clusters of the encoder's own features.",
  source:
    "Li et al., SemMAE: Semantic-Guided Masking for Learning Masked Autoencoders, NeurIPS 2022; parts by the model's own features: own definition",
  since: "0.2",
  params: { ...featureParams, parts: partsParam(7) },
  requires: partsRequirements,
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    asks: "features",
    numbers: () => 1,
    draw: () => new Float32Array(1),
    moving: (p) => ({
      chance: waiting(p),
      inside({ step, totalSteps }) {
        const passed = Math.min(1, (step + 1) / totalSteps);
        return 1 - passed ** 2;
      },
    }),
    order(code, p, { features, drawn, moving, hidden }) {
      const own = code.let("own", clusters, features(layerOf(p)), drawn, { parts: p.parts });
      const parts = code.let("parts", partsHidden, own, drawn, moving.inside, { hidden });
      const late = code.let("late", placesOfOrder, parts);
      return code.let("order", mostAttendedLast, late, drawn, moving.chance, { hidden, mix: "share" });
    },
  },
});
