/** Squared errors of patches, weighed by how much moves in them: the loss of AED-MAE. */

import { motionOfTokens, squaredErrors, takeTokens, weightedMeanOfTokens } from "../nn/index.js";
import { chosenPatches, comparisonParams, comparisonRequirements, defineLoss } from "./contract.js";

export const motionMse = defineLoss({
  name: "motion_mse",
  summary: "Mean squared error over the chosen patches, each weighed by how much moves in it.",
  source: "Ristea et al., Self-Distilled Masked Auto-Encoders are Efficient Video Anomaly Detectors, CVPR 2024",
  since: "0.2",
  params: comparisonParams,
  requires: [
    ...comparisonRequirements,
    {
      name: "in-time",
      at: null,
      doc: "The input begins with time, of which it has at least two.",
      holds: (_, { array: { axes } }) => axes[0]?.name === "time" && axes[0].size > 1,
      say: () => "nothing moves in the input: it has no first and last time",
      help: () => "use `mse`, or an input such as `video` with at least two frames",
    },
  ],
  weighsTokens: true,
  weight: (p) => p.weight,
  build(code, { on }, inputs) {
    const errors = code.let("errors", squaredErrors, ...chosenPatches(code, on, inputs));
    const motion = code.let("motion", motionOfTokens, inputs.original, inputs.grid);
    const own = on === "all" || !inputs.masked ? motion : code.let("moved", takeTokens, motion, inputs[on]);
    return code.let("motion_mse", weightedMeanOfTokens, errors, own);
  },
});
