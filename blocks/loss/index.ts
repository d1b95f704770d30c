/** The losses, sorted by name. */

import { bce } from "./bce.js";
import { chamfer } from "./chamfer.js";
import { channelCrossEntropy } from "./channel-cross-entropy.js";
import { classBce } from "./class-bce.js";
import { columnError } from "./column-error.js";
import { crossEntropy } from "./cross-entropy.js";
import { detection } from "./detection.js";
import { dice } from "./dice.js";
import { distillation } from "./distillation.js";
import { idCrossEntropy } from "./id-cross-entropy.js";
import { infoNce } from "./info-nce.js";
import { l1 } from "./l1.js";
import { motionMse } from "./motion-mse.js";
import { mse } from "./mse.js";
import { numberErrorLoss } from "./number-error.js";
import { perceptual } from "./perceptual.js";
import { placeCrossEntropy } from "./place-cross-entropy.js";
import { placeErrorLoss } from "./place-error.js";
import { similarity } from "./similarity.js";
import { smoothL1 } from "./smooth-l1.js";
import { smoothness } from "./smoothness.js";
import { uniformity } from "./uniformity.js";
import { consistency, ntXent, queueContrast, selfDistillation, viewContrast } from "./views.js";

export {
  defineLoss,
  type Loss,
  type LossContext,
  type LossInputs,
  type Standing,
  type ViewInputs,
} from "./contract.js";
export {
  bce,
  chamfer,
  channelCrossEntropy,
  classBce,
  columnError,
  consistency,
  crossEntropy,
  detection,
  dice,
  distillation,
  idCrossEntropy,
  infoNce,
  l1,
  motionMse,
  mse,
  ntXent,
  numberErrorLoss,
  perceptual,
  placeCrossEntropy,
  placeErrorLoss,
  queueContrast,
  selfDistillation,
  similarity,
  smoothL1,
  smoothness,
  uniformity,
  viewContrast,
};

export const losses = [
  bce,
  chamfer,
  channelCrossEntropy,
  classBce,
  columnError,
  consistency,
  crossEntropy,
  detection,
  dice,
  distillation,
  idCrossEntropy,
  infoNce,
  l1,
  motionMse,
  mse,
  ntXent,
  numberErrorLoss,
  perceptual,
  placeCrossEntropy,
  placeErrorLoss,
  queueContrast,
  selfDistillation,
  similarity,
  smoothL1,
  smoothness,
  uniformity,
  viewContrast,
] as const;
