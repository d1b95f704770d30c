/** Numbers brought to a range of their own: each sample by its mean and deviation, or all by one window. */

import { choice, flag, interval } from "../params.js";
import { defineAugment } from "./contract.js";

export const standardize = defineAugment({
  name: "standardize",
  summary: "Subtracts the mean of each sample and divides by its standard deviation.",
  source: "own definition; per record as ST-MEM has it, of nonzero voxels as the recipes for BraTS have it",
  since: "0.2",
  changes: "channels",
  params: {
    over: choice({
      default: "sample",
      options: {
        sample: "All numbers of a sample together.",
        channel: "Those of each channel; of a signal, of each lead.",
      },
      doc: "Whose mean and deviation.",
    }),
    nonzero: flag({ default: false, doc: "Whether zeros stay zeros and do not count, as what lies around a brain." }),
  },
  positional: "over",
  random: false,
  plan: ({ over, nonzero }) => [{ kind: "level", over, nonzero }],
});

export const intensity = defineAugment({
  name: "intensity",
  summary: "Makes 0 to 1 of a range of numbers, and clips what lies beyond.",
  source: "own definition; as MONAI's ScaleIntensityRange with clipping",
  since: "0.2",
  changes: "channels",
  params: {
    range: interval({
      of: "real",
      min: -1e9,
      max: 1e9,
      doc: "The number that becomes 0 and the one that becomes 1: of computed tomography in Hounsfield units, such as -175..250.",
    }),
  },
  positional: "range",
  random: false,
  plan: ({ range }) => [{ kind: "range", range }],
});
