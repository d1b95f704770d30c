/** Smooth absolute error over the chosen patches: quadratic near zero, linear beyond `beta`. */

import { smoothAbsoluteError, smoothAbsoluteErrors } from "../nn/index.js";
import { real } from "../params.js";
import { comparisonParams, comparisonRequirements, defineLoss, meanError } from "./contract.js";

export const smoothL1 = defineLoss({
  name: "smooth_l1",
  summary: "Smooth absolute error over the chosen patches: quadratic below `beta`, linear beyond.",
  source: "Girshick, Fast R-CNN, ICCV 2015, equation 3; Baevski et al., data2vec, ICML 2022, section 3.3",
  since: "0.1",
  params: {
    ...comparisonParams,
    beta: real({ min: 0, openMin: true, default: 1, doc: "Error at which the quadratic part ends." }),
  },
  requires: comparisonRequirements,
  uneven: true,
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    meanError(
      code,
      "smooth_l1",
      p.on,
      inputs,
      { mean: smoothAbsoluteError, each: smoothAbsoluteErrors },
      { beta: p.beta },
    ),
});
