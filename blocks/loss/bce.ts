/** Binary cross-entropy between logits and binary maps over the chosen patches. */

import { binaryCrossEntropies, binaryCrossEntropy } from "../nn/index.js";
import { real } from "../params.js";
import { comparisonParams, comparisonRequirements, defineLoss, meanError } from "./contract.js";

export const bce = defineLoss({
  name: "bce",
  summary: "Mean binary cross-entropy of logits to a target of zeros and ones, over the chosen patches.",
  source: "Nguyen et al., R-MAE: Regions Meet Masked Autoencoders, ICLR 2024, section 3",
  since: "0.1",
  params: {
    ...comparisonParams,
    background: real({
      min: 0,
      default: 1,
      doc: "Weight of values whose target is zero; those whose target is one have weight 1.",
    }),
  },
  requires: comparisonRequirements,
  logits: "each",
  uneven: true,
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    meanError(
      code,
      "bce",
      p.on,
      inputs,
      { mean: binaryCrossEntropy, each: binaryCrossEntropies },
      { background: p.background },
    ),
});
