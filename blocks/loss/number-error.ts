/** How far the number that a head says of a sample is from the one that the data have. */

import { numberError } from "../nn/index.js";
import { choice } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const numberErrorLoss = defineLoss({
  name: "number_error",
  summary: "How far the number that a head says of a sample is, as a mean over samples, in the number's own unit.",
  source: "Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares)",
  since: "0.2",
  params: {
    measure: choice({
      default: "l2",
      options: { l1: "The difference.", l2: "Its square." },
      doc: "What counts of each sample.",
    }),
    weight: lossWeight,
  },
  compares: "number",
  weight: (p) => p.weight,
  build: (code, p, { prediction, target }) =>
    code.let("error", numberError, prediction, target, { measure: p.measure }),
});
