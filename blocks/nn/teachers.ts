/** What a teacher is and gives: weights that follow others, and the mean of what several of its layers give, each normalised. */

import type { Builder, Tensor } from "../../graph/index.js";
import { mapParameters, type ParameterTree } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";

/** PyTorch's default, which data2vec leaves as it is. */
const epsilon = 1e-5;

/** Over the last axis, without scale and shift. */
function normalized(g: Builder, x: Tensor): Tensor {
  const width = x.shape.at(-1) as number;
  return g.layerNorm(x, g.constant(1, [width]), g.constant(0, [width]), epsilon)[0];
}

/** Outputs of layers [B, N, D] -> LayerNorm(mean(LayerNorm(output))) [B, N, D]. No gradient passes back through it. */
export const averagedFeatures = layer(
  "averagedFeatures",
  <N extends number, D extends number>(g: Builder, outputs: readonly Tensor<["B", N, D]>[]): Tensor<["B", N, D]> => {
    const sum = outputs.map((output) => normalized(g, output)).reduce((a, b) => g.add(a, b));
    return claim(g.stopGradient(normalized(g, g.mul(sum, 1 / outputs.length))));
  },
);

/** The weights of a network that others have trained: they come from a file or an earlier stage, and are never trained here. */
export const givenNetwork = declarer(
  "givenNetwork",
  (tree: ParameterTree) =>
    mapParameters(tree, (parameter) => ({ ...parameter, trainable: false, given: true })) as ParameterTree,
) as <T extends ParameterTree>(tree: T) => T;

/** A copy of branches that stand under the same names at the root of the weights: it moves towards them after each step and is never trained. */
export const slowCopy = declarer(
  "slowCopy",
  (tree: ParameterTree) =>
    mapParameters(tree, (parameter, follows) => ({ ...parameter, trainable: false, follows })) as ParameterTree,
) as <T extends ParameterTree>(tree: T) => T;
