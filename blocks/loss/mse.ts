/** Mean squared error over the chosen patches. */

import { meanSquaredError, squaredErrors } from "../nn/index.js";
import { comparisonParams, comparisonRequirements, defineLoss, meanError } from "./contract.js";

export const mse = defineLoss({
  name: "mse",
  summary: "Mean squared error over the chosen patches.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: comparisonParams,
  requires: comparisonRequirements,
  uneven: true,
  weight: (p) => p.weight,
  build: (code, p, inputs) => meanError(code, "mse", p.on, inputs, { mean: meanSquaredError, each: squaredErrors }),
});
