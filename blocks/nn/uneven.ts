/** Errors of hidden tokens where samples of one batch hide different numbers of them, as of one of several inputs under one mask. */

import type { Builder, Dims, Rows, Tensor } from "../../graph/index.js";
import { logShares } from "./classify.js";
import { claim, layer } from "./layer.js";
import { smoothed } from "./targets.js";

/**
 * restore int32 [B, M]: where each token stands in [visible, hidden] -> 1 for the hidden and 0 for the visible ones of the `count` tokens
 * from `start` on, [B, count]. `visible`: how many of all M are.
 */
export const hiddenFlags = layer(
  "hiddenFlags",
  <M extends number, const C extends number>(
    g: Builder,
    restore: Tensor<["B", M], "int32">,
    o: { readonly start: number; readonly count: C; readonly visible: number },
  ): Tensor<["B", C]> => {
    const own = g.cast(g.slice(restore, [0, o.start], [restore.shape[0] as number, o.count]), "float32");
    return claim(g.sub(g.constant(1), g.cast(g.less(own, o.visible), "float32")));
  },
);

/** flags [B, N], index [B, K] -> those of the tokens at these places, [B, K]. */
export const takeFlags = layer(
  "takeFlags",
  <B extends Rows, N extends number, K extends number>(
    g: Builder,
    flags: Tensor<[B, N]>,
    index: Tensor<[NoInfer<B>, K], "int32">,
  ): Tensor<[B, K]> => claim(g.takeTokens(claim<[B, number]>(flags), index)),
);

/** flags [B, N] -> 1 where they are 0, and 0 where they are 1. */
export const otherFlags = layer(
  "otherFlags",
  <N extends number>(g: Builder, flags: Tensor<["B", N]>): Tensor<["B", N]> => claim(g.sub(g.constant(1), flags)),
);

/** prediction and target [B, N, P] -> the mean squared error of each token, [B, N]. */
export const squaredErrors = layer(
  "squaredErrors",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
  ): Tensor<["B", N]> => {
    const error = g.sub(prediction, target);
    return claim(g.mean(g.mul(error, error), [2]));
  },
);

/** prediction and target [B, N, P] -> the mean absolute error of each token, [B, N]. */
export const absoluteErrors = layer(
  "absoluteErrors",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
  ): Tensor<["B", N]> => claim(g.mean(g.abs(g.sub(prediction, target)), [2])),
);

/** prediction and target [B, N, P] -> the mean over each token of e^2 / (2 beta) where |e| < beta, |e| - beta / 2 elsewhere, [B, N]. */
export const smoothAbsoluteErrors = layer(
  "smoothAbsoluteErrors",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly beta: number },
  ): Tensor<["B", N]> => claim(g.mean(smoothed(g, prediction, target, o.beta), [2])),
);

/**
 * logits and shares [B, N, P], P = pixels x classes with the class fastest -> the mean over a token's pixels of the cross-entropy of
 * softmax(logits) to the shares of the classes, [B, N].
 */
export const crossEntropies = layer(
  "crossEntropies",
  <N extends number, P extends number>(
    g: Builder,
    logits: Tensor<["B", N, P]>,
    shares: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly classes: number },
  ): Tensor<["B", N]> => {
    const [batch, tokens, values] = logits.shape as [number, number, number];
    const byClass = [batch, tokens, values / o.classes, o.classes];
    const said = logShares(g, g.reshape(logits, byClass));
    return claim(g.neg(g.mean(g.sum(g.mul(g.reshape(shares, byClass as Dims), said), [3]), [2])));
  },
);

/** As `crossEntropies`, the mean over all tokens, []. */
export const meanCrossEntropy = layer(
  "meanCrossEntropy",
  <N extends number, P extends number>(
    g: Builder,
    logits: Tensor<["B", N, P]>,
    shares: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly classes: number },
  ): Tensor<[]> => claim(g.mean(crossEntropies(g, logits, shares, o))),
);

/**
 * errors [B, N], flags [B, N] -> the mean error of a sample's tokens with flag 1, its mean over the samples that have some, []. 0 where
 * no sample of the batch has any.
 */
export const meanOfFlagged = layer(
  "meanOfFlagged",
  <N extends number>(g: Builder, errors: Tensor<["B", N]>, flags: Tensor<["B", NoInfer<N>]>): Tensor<[]> => {
    const counts = g.sum(flags, [1]); // [B]
    const means = g.div(g.sum(g.mul(errors, flags), [1]), g.maximum(counts, 1));
    return claim(g.div(g.sum(means), g.maximum(g.sum(g.minimum(counts, 1)), 1)));
  },
);
