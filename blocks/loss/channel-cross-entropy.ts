/** Cross-entropy where the channels of an array are classes: of maps that say of each place what stands there. */

import { crossEntropies, meanCrossEntropy } from "../nn/index.js";
import { comparisonParams, comparisonRequirements, defineLoss, meanError } from "./contract.js";

export const channelCrossEntropy = defineLoss({
  name: "channel_cross_entropy",
  summary: "Cross-entropy over the channels of each place, which are classes; its mean over the chosen patches.",
  source: "Bachmann et al., MultiMAE: Multi-modal Multi-task Masked Autoencoders, ECCV 2022, section 3.3",
  since: "0.1",
  params: comparisonParams,
  requires: comparisonRequirements,
  logits: "one",
  uneven: true,
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    meanError(
      code,
      "entropy",
      p.on,
      inputs,
      { mean: meanCrossEntropy, each: crossEntropies },
      { classes: inputs.array.channels },
    ),
});
