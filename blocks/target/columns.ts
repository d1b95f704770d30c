/** Columns of a table as target: a number of each, or which of its categories it is. */

import { categoriesOf, columnOutputs, columnTargets } from "../nn/index.js";
import { defineTarget } from "./contract.js";

export const columns = defineTarget({
  name: "columns",
  summary: "What each column of a table holds: a number is predicted, or a logit for each category of the column.",
  source:
    "own definition; numbers as in Du et al., ReMasker: Imputing Tabular Data with Masked Autoencoding, ICLR 2024",
  since: "0.2",
  params: {},
  predicts: "columns",
  outputs: (_, { array }) => columnOutputs(categoriesOf(array)),
  build: (code, _, { array }) => code.let("wanted", columnTargets, array),
});
