/** Binary cross-entropy between a head's logits and the labels of samples that may have several. */

import { classBinaryCrossEntropy } from "../nn/index.js";
import { defineLoss, lossWeight } from "./contract.js";

export const classBce = defineLoss({
  name: "class_bce",
  summary:
    "Mean binary cross-entropy of a head's classes, each by itself, to the labels of samples that may have several.",
  source:
    "Gong et al., AST: Audio Spectrogram Transformer, Interspeech 2021, section 3.1; as torch.nn.BCEWithLogitsLoss",
  since: "0.2",
  params: { weight: lossWeight },
  compares: "classes",
  several: true,
  weight: (p) => p.weight,
  build: (code, _, { prediction, target }) => code.let("entropy", classBinaryCrossEntropy, prediction, target),
});
