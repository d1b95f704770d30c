/** What the model's own decoder predicts as target, for another decoder that learns to predict the same: the student of AED-MAE. */

import { invariant } from "../../graph/index.js";
import { detached } from "../nn/index.js";
import { madeOf } from "../sources.js";
import { defineTarget } from "./contract.js";

export const imitation = defineTarget({
  name: "imitation",
  summary: "What the model's own decoder predicts for each patch, for another decoder to predict the same.",
  source: "Ristea et al., Self-Distilled Masked Auto-Encoders are Efficient Video Anomaly Detectors, CVPR 2024",
  since: "0.2",
  params: { of: madeOf },
  fromDecoder: true,
  outputs(_, { predicted }) {
    invariant(predicted !== null, "a target of a prediction is built only beside a decoder that predicts");
    return predicted;
  },
  build(code, _, { prediction: predicted }) {
    invariant(predicted, "a target of a prediction is built only beside a decoder that predicts");
    return code.let("taught", detached, predicted());
  },
});
