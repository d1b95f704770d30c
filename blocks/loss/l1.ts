/** Mean absolute error over the chosen patches. */

import { meanAbsoluteError } from "../nn/index.js";
import { chosenPatches, comparisonParams, defineLoss } from "./contract.js";

export const l1 = defineLoss({
  name: "l1",
  summary: "Mean absolute error over the chosen patches.",
  source: "Xie et al., SimMIM: A Simple Framework for Masked Image Modeling, CVPR 2022, section 3",
  since: "0.1",
  params: comparisonParams,
  weight: (p) => p.weight,
  build: (code, p, inputs) => code.let("l1", meanAbsoluteError, ...chosenPatches(code, p.on, inputs)),
});
