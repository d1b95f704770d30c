/** Binary cross-entropy between logits and binary maps over the chosen patches. */

import { binaryCrossEntropy } from "../nn/index.js";
import { real } from "../params.js";
import { chosenPatches, comparisonParams, defineLoss } from "./contract.js";

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
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    code.let("bce", binaryCrossEntropy, ...chosenPatches(code, p.on, inputs), { background: p.background }),
});
