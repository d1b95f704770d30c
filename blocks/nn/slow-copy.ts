/** Weights that follow others: started as their copies, moved towards them after each step, never trained. */

import { mapParameters, type ParameterTree } from "../parameters.js";
import { declarer } from "./layer.js";

/** A copy of branches that stand under the same names at the root of the weights. */
export const slowCopy = declarer(
  "slowCopy",
  (tree: ParameterTree) =>
    mapParameters(tree, (parameter, follows) => ({ ...parameter, trainable: false, follows })) as ParameterTree,
) as <T extends ParameterTree>(tree: T) => T;
