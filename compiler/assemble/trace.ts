/** Declares the tensors that a model's functions take: weights as state, a batch as feeds. */

import { type Batch, isParameter, type ParameterTree } from "../../blocks/index.js";
import type { Builder, Tensor } from "../../graph/index.js";
import { layoutOf, type WeightTree } from "./functions.js";
import type { Parts } from "./parts.js";

/** The weights of a tree as state of the builder's graph, nested like the tree, named by their paths. */
export function declareWeights(g: Builder, tree: ParameterTree): WeightTree {
  const declare = (branch: ParameterTree, path: string): unknown => {
    if (isParameter(branch)) return g.state(path, branch.shape);
    const entries = Object.entries(branch).map(
      ([name, inner]) => [name, declare(inner, path === "" ? name : `${path}.${name}`)] as const,
    );
    return Array.isArray(branch) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
  };
  return declare(tree, "") as WeightTree;
}

/** One training batch as feeds. */
export function declareBatch(g: Builder, parts: Parts): Batch {
  const { height, width, channels } = parts.image;
  const { count, visible } = layoutOf(parts);
  const index = (name: string, size: number): Tensor => g.input(name, ["B", size], "int32");
  return {
    image: g.input("image", ["B", height, width, channels]),
    visible: index("visible", visible),
    hidden: index("hidden", count - visible),
    restore: index("restore", count),
  };
}
