/** A loss of this project, with a layer of its own: the absolute error, rounded off near zero. */

import { chosenPatches, claim, comparisonParams, defineLoss, layer, real } from "maelang/blocks";
import type { Builder, Tensor } from "maelang/graph";

/** Mean of sqrt((prediction - target)^2 + epsilon^2) over everything. */
export const charbonnierError = layer(
  "charbonnierError",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly epsilon: number },
  ): Tensor<[]> => {
    const error = g.sub(prediction, target);
    return claim(g.mean(g.sqrt(g.add(g.mul(error, error), o.epsilon ** 2))));
  },
);

export const charbonnier = defineLoss({
  name: "charbonnier",
  summary: "Mean absolute error over the chosen patches, rounded off below `epsilon`.",
  source: "Charbonnier et al., Two deterministic half-quadratic regularization algorithms, ICIP 1994",
  since: "1.0",
  params: {
    ...comparisonParams,
    epsilon: real({ min: 0, openMin: true, default: 0.001, doc: "Error below which it is nearly quadratic." }),
  },
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    code.let("charbonnier", charbonnierError, ...chosenPatches(code, p.on, inputs), { epsilon: p.epsilon }),
});
