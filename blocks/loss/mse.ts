/** Mean squared error over the chosen patches. */

import { meanSquaredError } from "../nn/index.js";
import { chosenPatches, comparisonParams, defineLoss } from "./contract.js";

export const mse = defineLoss({
  name: "mse",
  summary: "Mean squared error over the chosen patches.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: comparisonParams,
  weight: (p) => p.weight,
  build: (code, p, inputs) => code.let("mse", meanSquaredError, ...chosenPatches(code, p.on, inputs)),
});
