/** Errors of columns of a table: of numbers their squares, of categories cross-entropies; what is missing does not count. */

import { categoriesOf, columnErrors as columnErrorsLayer, knownColumns, meanOfKnown, takeFlags } from "../nn/index.js";
import { comparisonParams, comparisonRequirements, defineLoss } from "./contract.js";

export const columnError = defineLoss({
  name: "column_error",
  summary:
    "Squared errors of numbers and cross-entropies of categories, over the chosen columns whose value is known; their mean over the batch.",
  source:
    "own definition; numbers as in Du et al., ReMasker: Imputing Tabular Data with Masked Autoencoding, ICLR 2024",
  since: "0.2",
  params: comparisonParams,
  requires: comparisonRequirements,
  compares: "columns",
  uneven: true,
  acrossSamples: true,
  weight: (p) => p.weight,
  build(code, p, inputs) {
    const { prediction, target, array } = inputs;
    const errors = code.let("errors", columnErrorsLayer, prediction, target, { categories: categoriesOf(array) });
    const known = code.let("known", knownColumns, target);
    if (p.on === "all" || !inputs.masked) return code.let("error", meanOfKnown, errors, known);
    const taken = (name: string, of: typeof errors) =>
      code.let(name, takeFlags, of, inputs[p.on as "hidden" | "visible"]);
    if (inputs.flags === null) return code.let("error", meanOfKnown, taken("judged", errors), taken("counted", known));
    return code.let("error", meanOfKnown, errors, known, { flags: inputs.flags, of: p.on });
  },
});
