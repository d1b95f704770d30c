/** What a detector's places say against what they should. */

import { detectionLoss } from "../nn/index.js";
import { ratio, real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const detection = defineLoss({
  name: "detection",
  summary:
    "Classes by focal loss, boxes by generalised overlap, centredness and outlines by cross-entropy, at the places of a detector.",
  source:
    "Tian et al., FCOS, ICCV 2019; Lin et al., Focal Loss, ICCV 2017; Rezatofighi et al., Generalized IoU, CVPR 2019",
  since: "0.1",
  params: {
    alpha: ratio({ default: 0.25, doc: "Weight of what is an object; what is none has the rest." }),
    gamma: real({ min: 0, default: 2, doc: "Power by which places that are right already count less." }),
    weight: lossWeight,
  },
  compares: "objects",
  weight: (p) => p.weight,
  build(code, p, { prediction, target }) {
    const [said, wanted] = [prediction.shape[2], target.shape[2]] as [number, number];
    // Both have five numbers and the cells; what is said has a logit for each class, what is wanted the number of one.
    return code.let("detection", detectionLoss, prediction, target, {
      classes: said - wanted + 1,
      alpha: p.alpha,
      gamma: p.gamma,
    });
  },
});
