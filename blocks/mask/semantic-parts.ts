/** Masks of SemMAE: at first the same share of every part of the image is hidden, at last whole parts. */

import { clusters, mostAttendedLast, partsHidden, placesOfOrder } from "../nn/index.js";
import { int } from "../params.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { drawnOrder, featureParams, featureRequirements, layerOf, waiting } from "./guides.js";
import { byRatio } from "./ratio.js";

export const semanticParts = defineMask({
  name: "semantic_parts",
  summary:
    "Hides patches inside the parts of an image at first, and whole parts in the end; parts are clusters of the encoder's own features.",
  source:
    "Li et al., SemMAE: Semantic-Guided Masking for Learning Masked Autoencoders, NeurIPS 2022; parts by the model's own features: own definition",
  since: "0.2",
  params: { ...featureParams, parts: int({ min: 2, max: 64, default: 7, doc: "Parts of an image." }) },
  requires: [
    ...featureRequirements,
    {
      name: "fewer-parts",
      at: "parts",
      doc: "There are more patches than parts.",
      holds: (p, { grid }) => p.parts < tokenCount(grid),
      say: (p, { grid }) => `${p.parts} parts of ${tokenCount(grid)} patches`,
      help: (_, { grid }) => `write fewer than ${tokenCount(grid)}`,
    },
  ],
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
