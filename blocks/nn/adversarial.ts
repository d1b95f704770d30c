/** What two sides pay for decisions about patches: who tells originals from predictions, and whose predictions they are. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/**
 * Logits of originals [B, V, 1] and of predictions [B, U, 1] -> the mean binary cross-entropy of all V + U decisions, where an
 * original is 1 and a prediction 0. By softplus, finite for any finite logit.
 */
export const discriminationError = layer(
  "discriminationError",
  <V extends number, U extends number>(
    g: Builder,
    originals: Tensor<["B", V, 1]>,
    predictions: Tensor<["B", U, 1]>,
  ): Tensor<[]> => {
    const errors = [g.softplus(g.neg(originals)), g.softplus(claim<["B", number, 1]>(predictions))];
    return claim(g.mean(g.concat(errors, 1)));
  },
);

/**
 * Logits of originals [B, V, 1] and of predictions [B, U, 1], o = sigmoid -> the mean of log o over the originals plus that of
 * log(1 - o) over the predictions: the less of it, the more of both is mistaken. Below zero, without a lower bound.
 */
export const deceptionLoss = layer(
  "deceptionLoss",
  <V extends number, U extends number>(
    g: Builder,
    originals: Tensor<["B", V, 1]>,
    predictions: Tensor<["B", U, 1]>,
  ): Tensor<[]> => {
    const recognized = g.mean(g.softplus(g.neg(originals)));
    return claim(g.neg(g.add(recognized, g.mean(g.softplus(predictions)))));
  },
);

/** Logits of predictions [B, U, 1] -> the mean of -log o, o = sigmoid: what it costs that they are not taken for originals. */
export const recognitionLoss = layer(
  "recognitionLoss",
  <U extends number>(g: Builder, predictions: Tensor<["B", U, 1]>): Tensor<[]> =>
    claim(g.mean(g.softplus(g.neg(predictions)))),
);

/** The same weights as constants: what is computed with them has no gradient for them. */
export const constantWeights = layer("constantWeights", <W extends object>(g: Builder, weights: W): W => {
  const constant = (branch: object): object => {
    if ("node" in branch && "dtype" in branch) return g.stopGradient(branch as Tensor);
    if (Array.isArray(branch)) return branch.map(constant);
    return Object.fromEntries(Object.entries(branch).map(([name, inner]) => [name, constant(inner as object)]));
  };
  return constant(weights) as W;
});
