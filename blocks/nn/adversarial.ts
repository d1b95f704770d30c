/** What two sides pay for decisions about patches: who tells originals from predictions, and whose predictions they are. */

import { type Builder, gradients, type Rows, type Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/**
 * Logits of originals [B, V, 1] and of predictions [B, U, 1] -> the mean binary cross-entropy of all V + U decisions, where an
 * original is 1, or `smoothing` less, and a prediction 0. By softplus, finite for any finite logit.
 */
export const discriminationError = layer(
  "discriminationError",
  <V extends number, U extends number>(
    g: Builder,
    originals: Tensor<["B", V, 1]>,
    predictions: Tensor<["B", U, 1]>,
    o: { readonly smoothing: number } = { smoothing: 0 },
  ): Tensor<[]> => {
    const missed = g.softplus(g.neg(originals));
    const sure = g.mul(g.softplus(claim<["B", V, 1]>(originals)), o.smoothing);
    const recognized = o.smoothing === 0 ? missed : g.add(g.mul(missed, 1 - o.smoothing), sure);
    return claim(g.mean(g.concat([recognized, g.softplus(claim<["B", number, 1]>(predictions))], 1)));
  },
);

/**
 * decisions [B, N, 1] about arrays [B, ..., C] that they are made of -> the mean over samples of the squared length of the gradient of the sum of a
 * sample's decisions for its array, []: R1 of Mescheder et al., without its half.
 */
export const slopePenalty = layer(
  "slopePenalty",
  <N extends number>(
    g: Builder,
    decisions: Tensor<[Rows, N, 1]>,
    arrays: readonly Tensor<[Rows, ...number[]]>[],
  ): Tensor<[]> => {
    const squares = gradients(g, g.sum(decisions), arrays).map((slope) => g.sum(g.mul(slope, slope)));
    const samples = decisions.shape[0] as unknown as number;
    return claim(
      g.mul(
        squares.reduce((sum, one) => g.add(sum, one)),
        1 / samples,
      ),
    );
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
