/** How far logits are from binary maps and from flags of classes. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/**
 * Mean over everything of the binary cross-entropy of sigmoid(logits) to target; as torch's binary_cross_entropy_with_logits, each
 * element weighed by target + background (1 - target). The weights do not enter the divisor.
 */
export const binaryCrossEntropy = layer(
  "binaryCrossEntropy",
  <N extends number, P extends number>(
    g: Builder,
    logits: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly background: number },
  ): Tensor<[]> => claim(g.mean(entropies(g, logits, target, o.background))),
);

/** Mean over samples and classes of the same, of logits and flags of classes. */
export const classBinaryCrossEntropy = layer(
  "classBinaryCrossEntropy",
  <K extends number>(g: Builder, logits: Tensor<["B", K]>, labels: Tensor<["B", NoInfer<K>]>): Tensor<[]> =>
    claim(g.mean(entropies(g, logits, labels, 1))),
);

/** logits and target, of one shape -> the same of each element. */
function entropies(g: Builder, logits: Tensor, target: Tensor, background: number): Tensor {
  const error = g.sub(g.softplus(logits), g.mul(logits, target));
  if (background === 1) return error;
  const weights = g.add(g.mul(target, 1 - background), background);
  return g.mul(error, weights);
}

/** logits and target [B, N, P] -> the mean of the same of each token, [B, N]. */
export const binaryCrossEntropies = layer(
  "binaryCrossEntropies",
  <N extends number, P extends number>(
    g: Builder,
    logits: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly background: number },
  ): Tensor<["B", N]> => claim(g.mean(entropies(g, logits, target, o.background), [2])),
);
