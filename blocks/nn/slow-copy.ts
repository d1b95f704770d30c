/** Weights that follow others: started as their copies, moved towards them after each step, never trained. */

import { isParameter, type ParameterTree } from "../parameters.js";
import { declarer } from "./layer.js";

/** Dotted names below `path`. */
function following(tree: ParameterTree, path: string): ParameterTree {
  if (isParameter(tree)) return { ...tree, trainable: false, follows: path };
  const below = (key: string, branch: ParameterTree) => following(branch, path === "" ? key : `${path}.${key}`);
  if (Array.isArray(tree)) return tree.map((branch: ParameterTree, i) => below(String(i), branch));
  return Object.fromEntries(Object.entries(tree).map(([key, branch]) => [key, below(key, branch as ParameterTree)]));
}

/** A copy of branches that stand under the same names at the root of the weights. */
export const slowCopy = declarer("slowCopy", (tree: ParameterTree): ParameterTree => following(tree, "")) as <
  T extends ParameterTree,
>(
  tree: T,
) => T;
