/** Each sample by its own mean and deviation. */

import { choice, flag } from "../params.js";
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
