/** How far logits are from binary maps. */

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
  ): Tensor<[]> => {
    const error = g.sub(g.softplus(logits), g.mul(logits, target)); // [B, N, P]
    if (o.background === 1) return claim(g.mean(error));
    const weights = g.add(g.mul(target, 1 - o.background), o.background);
    return claim(g.mean(g.mul(error, weights)));
  },
);
