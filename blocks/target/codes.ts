/** Codes as target: which code of the network that names places stands at each. */

import { codesWanted } from "../nn/index.js";
import { defineTarget } from "./contract.js";

export const codes = defineTarget({
  name: "codes",
  summary: "The code of each token, of which a logit for each code is predicted.",
  source: "Gupta et al., MaskViT: Masked Visual Pre-Training for Video Prediction, ICLR 2023, section 3.2",
  since: "0.2",
  params: {},
  predicts: "ids",
  madeOf: "amounts",
  ofCodes: true,
  outputs: (_, { codes: count }) => count ?? 1,
  build: (code, _, { codes: of }) => code.let("wanted", codesWanted, of()),
});
