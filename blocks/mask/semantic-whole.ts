/** Masks that suppress artifacts of attention: what is visible is whole parts of the image, one after the other. */

import { clusters, mostAttendedLast, placesOfOrder, wholePartsSeen } from "../nn/index.js";
import { ratio } from "../params.js";
import { countsOf } from "../sets.js";
import { defineMask } from "./contract.js";
import {
  drawnOrder,
  featureParams,
  layerOf,
  partsParam,
  partsRequirements,
  uniformNumbers,
  waiting,
} from "./guides.js";
import { byRatio } from "./ratio.js";

export const semanticWhole = defineMask({
  name: "semantic_whole",
  summary:
    "Shows whole parts of an image, in a random order, until enough is visible; parts are clusters of the encoder's own features.",
  source:
    "Miao et al., Artifacts Suppression of Masked Autoencoders, IEEE Signal Processing Letters 2024, of which the abstract alone was read; the rule: own definition",
  since: "0.2",
  params: {
    ...featureParams,
    parts: partsParam(6),
    random: ratio({ default: 0.25, doc: "Share of samples whose mask is uniformly random." }),
  },
  requires: partsRequirements,
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    asks: "features",
    numbers: () => 1,
    draw: (_, __, stream) => uniformNumbers(1, stream),
    moving: (p) => ({ chance: waiting(p) }),
    order(code, p, { features, drawn, draws, moving, hidden, grid }) {
      const seen = features(layerOf(p));
      const own = code.let("own", clusters, seen, drawn, { parts: p.parts });
      const options = { counts: countsOf(grid), random: p.random };
      const late = code.let("late", placesOfOrder, code.let("parts", wholePartsSeen, seen, own, drawn, draws, options));
      return code.let("order", mostAttendedLast, late, drawn, moving.chance, { hidden, mix: "share" });
    },
  },
});
