/** How far numbers of places are from what is there. A place without a value does not count. */

import { type Builder, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** exp(x), of what says logarithms. */
export const exponentials = layer(
  "exponentials",
  <S extends readonly unknown[]>(g: Builder, x: Tensor<S & never[]>): Tensor<S & never[]> => claim(g.exp(x as Tensor)),
);

export type PlaceMeasure = "l1" | "l2" | "scale_invariant";

/** Smaller numbers have no logarithm to compare. */
const least = 1e-6;

/**
 * said [B, ...S, 1], there [B, ...S, 2] of values and whether they are some: the mean over the places of a sample that have one, and over
 * samples, of the difference, its square, or the square of the difference of logarithms less `share` of the square of their mean.
 */
export const placeError = layer(
  "placeError",
  <S extends number[]>(
    g: Builder,
    said: Tensor<["B", ...S, 1]>,
    there: Tensor<["B", ...S, 2]>,
    o: { readonly measure: PlaceMeasure; readonly share: number },
  ): Tensor<[]> => {
    const [batch, ...rest] = said.shape as readonly number[];
    const places = sizeOf(rest);
    const pairs = g.reshape(there as Tensor, [batch as number, places, 2]);
    const part = (at: number): Tensor =>
      g.reshape(g.slice(pairs, [0, 0, at], [batch as number, places, 1]), [batch as number, places]);
    const [wanted, counts] = [part(0), part(1)];
    const known = g.maximum(g.sum(counts, [1]), 1);
    const mean = (x: Tensor): Tensor => g.div(g.sum(g.mul(x, counts), [1]), known); // [B]
    const own = g.reshape(said as Tensor, [batch as number, places]);
    if (o.measure !== "scale_invariant") {
      const error = g.sub(own, wanted);
      return claim(g.mean(mean(o.measure === "l1" ? g.abs(error) : g.mul(error, error))));
    }
    const logarithm = (x: Tensor): Tensor => g.log(g.maximum(x, least));
    const ratio = g.sub(logarithm(own), logarithm(wanted));
    const shift = mean(ratio);
    return claim(g.mean(g.sub(mean(g.mul(ratio, ratio)), g.mul(g.mul(shift, shift), o.share))));
  },
);
