/**
 * What a teacher is and gives: weights that follow others or are given, the mean of what several of its layers give, each normalised, and how
 * far features are from its own.
 */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { mapParameters, type ParameterTree } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import { unitVectors } from "./sphere.js";
import { smoothed } from "./targets.js";

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

/**
 * features and wanted [B, N, D] -> the mean over everything of how far they are apart, []; below `beta` the error is quadratic, without it
 * absolute. `directions`: of the features of each token divided by their length. No gradient passes to what is wanted.
 */
export const featureError = layer(
  "featureError",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    features: Tensor<[B, N, D]>,
    wanted: Tensor<[NoInfer<B>, NoInfer<N>, NoInfer<D>]>,
    o: { readonly compare: "directions" | "features"; readonly beta?: number },
  ): Tensor<[]> => {
    const compared = (x: Tensor): Tensor => (o.compare === "directions" ? unitVectors(g, x) : x);
    const [a, b] = [compared(features), g.stopGradient(compared(wanted))];
    return claim(g.mean(o.beta === undefined ? g.abs(g.sub(a, b)) : smoothed(g, a, b, o.beta)));
  },
);

/**
 * The weights of a network that others have trained: they come from a file or an earlier stage, and are never trained here. `was`: what it was
 * there.
 */
export const givenNetwork = declarer(
  "givenNetwork",
  (tree: ParameterTree, was: "encoder" | "decoder" = "encoder") =>
    mapParameters(tree, (parameter) => ({ ...parameter, trainable: false, given: was })) as ParameterTree,
) as <T extends ParameterTree>(tree: T, was?: "encoder" | "decoder") => T;

/** A copy of branches that stand under the same names at the root of the weights: it moves towards them after each step and is never trained. */
export const slowCopy = declarer(
  "slowCopy",
  (tree: ParameterTree) =>
    mapParameters(tree, (parameter, follows) => ({ ...parameter, trainable: false, follows })) as ParameterTree,
) as <T extends ParameterTree>(tree: T) => T;
