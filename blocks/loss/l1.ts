/** Mean absolute error over the chosen patches. */

import { absoluteErrors, meanAbsoluteError } from "../nn/index.js";
import { comparisonParams, comparisonRequirements, defineLoss, meanError } from "./contract.js";

export const l1 = defineLoss({
  name: "l1",
  summary: "Mean absolute error over the chosen patches.",
  source: "Xie et al., SimMIM: A Simple Framework for Masked Image Modeling, CVPR 2022, section 3",
  since: "0.1",
  params: comparisonParams,
  requires: comparisonRequirements,
  uneven: true,
  weight: (p) => p.weight,
  build: (code, p, inputs) => meanError(code, "l1", p.on, inputs, { mean: meanAbsoluteError, each: absoluteErrors }),
});
