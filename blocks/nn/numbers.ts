/** Numbers of samples: from what a layer says of one, and how far it is from what it should be. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** said [B, 1] -> mean + deviation said. */
export const inOwnUnit = layer(
  "inOwnUnit",
  (
    g: Builder,
    said: Tensor<["B", 1]>,
    { mean, deviation }: { readonly mean: number; readonly deviation: number },
  ): Tensor<["B", 1]> => claim(g.add(g.mul(said, deviation), mean)),
);

export type NumberMeasure = "l1" | "l2";

/** said, there [B, 1] -> the mean over samples of their difference, or of its square. */
export const numberError = layer(
  "numberError",
  (g: Builder, said: Tensor<["B", 1]>, there: Tensor<["B", 1]>, o: { readonly measure: NumberMeasure }): Tensor<[]> => {
    const error = g.sub(said, there);
    return claim(g.mean(o.measure === "l1" ? g.abs(error) : g.mul(error, error)));
  },
);
