/** What a classifier is made of besides its linear layer: how that starts, and how wrong it is. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { parameter } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import type { LinearParameters } from "./linear.js";

/**
 * Weight [classes, features] normal with deviation 2e-5, cut at twice that, bias zero: fine-tuning of official MAE starts so,
 * with all classes nearly equal.
 */
export const headParameters = declarer(
  "headParameters",
  <D extends number, K extends number>(width: D, classes: K): LinearParameters<D, K> => ({
    weight: parameter([classes, width], { kind: "truncated_normal", std: 2e-5 }),
    bias: parameter([classes], { kind: "zeros" }),
  }),
) as <D extends number, K extends number>(width: D, classes: K) => LinearParameters<D, K>;

/** Features [B, D], each multiplied by a number of the sample, of drops [B, numbers] from `first` on. Without drops none is. */
export const droppedFeatures = layer(
  "droppedFeatures",
  <B extends Rows, D extends number>(
    g: Builder,
    features: Tensor<[B, D]>,
    drops: Tensor<[NoInfer<B>, number]> | undefined,
    { first }: { readonly first: number },
  ): Tensor<[B, D]> => {
    if (!drops) return features;
    const shape = features.shape as readonly number[];
    return g.mul(features, g.slice(drops, [0, first], shape));
  },
);

/** logits [..., K] -> log softmax [..., K] */
export function logShares(g: Builder, logits: Tensor): Tensor {
  const axis = [logits.shape.length - 1];
  // The largest logit leaves the result as it is and keeps exp finite; so it has no gradient.
  const shifted = g.sub(logits, g.stopGradient(g.reduceMax(logits, axis, "keep")));
  return g.sub(shifted, g.log(g.sum(g.exp(shifted), axis, "keep")));
}

/**
 * Mean over samples of the cross-entropy of softmax(logits) to labels, each smoothed: labels (1 - smoothing) + smoothing / K, as
 * torch.nn.functional.cross_entropy with label_smoothing. Labels are shares that sum to 1.
 */
export const crossEntropy = layer(
  "crossEntropy",
  <K extends number>(
    g: Builder,
    logits: Tensor<["B", K]>,
    labels: Tensor<["B", NoInfer<K>]>,
    o: { readonly smoothing: number },
  ): Tensor<[]> => {
    const classes = logits.shape[1] as number;
    const said = logShares(g, logits); // [B, K]
    const wanted = o.smoothing === 0 ? labels : g.add(g.mul(labels, 1 - o.smoothing), o.smoothing / classes);
    return claim(g.neg(g.mean(g.sum(g.mul(wanted, said), [1]))));
  },
);
