/** How wrong the classes of places are. A place whose class is below zero does not count. */

import { type Builder, sizeOf, type Tensor } from "../../graph/index.js";
import { logShares } from "./classify.js";
import { claim, layer } from "./layer.js";

/** The classes of places [B, ...S] as numbers for each class, [B, N, K], and whether a place counts, [B, N, 1]. */
function classesApart(
  g: Builder,
  labels: Tensor,
  classes: number,
): { readonly wanted: Tensor; readonly counts: Tensor } {
  const [batch, ...sizes] = labels.shape as readonly number[];
  const places = sizeOf(sizes);
  const flat = g.reshape(labels, [batch as number, places, 1]);
  const every = g.constant(
    Int32Array.from({ length: classes }, (_, k) => k),
    [1, 1, classes],
    "int32",
  );
  const wanted = g.cast(g.equal(flat, every), "float32");
  return { wanted, counts: g.sum(wanted, [2], "keep") };
}

/** said [B, ...S, K] -> [B, N, K] */
function inRow(g: Builder, said: Tensor): Tensor {
  const [batch, ...rest] = said.shape as readonly number[];
  const classes = rest.at(-1) as number;
  const places = sizeOf(rest.slice(0, -1));
  return g.reshape(said, [batch as number, places, classes]);
}

/**
 * Cross-entropy of softmax(said) to the class of each place: its mean over the places of a sample that count, and over samples.
 * `background`: the weight of class 0 beside that of all others.
 */
export const placeEntropy = layer(
  "placeEntropy",
  <S extends number[], K extends number>(
    g: Builder,
    said: Tensor<["B", ...S, K]>,
    labels: Tensor<["B", ...S], "int32">,
    o: { readonly background: number },
  ): Tensor<[]> => {
    const classes = said.shape.at(-1) as number;
    const logits = inRow(g, said);
    const { wanted, counts } = classesApart(g, labels, classes);
    const shares = logShares(g, logits);
    const weights = g.constant(
      Float32Array.from({ length: classes }, (_, k) => (k === 0 ? o.background : 1)),
      [1, 1, classes],
    );
    const [weighed, weight] =
      o.background === 1 ? [wanted, counts] : [g.mul(wanted, weights), g.sum(g.mul(wanted, weights), [2], "keep")];
    const sums = g.neg(g.sum(g.mul(weighed, shares), [1, 2])); // [B]
    return claim(g.mean(g.div(sums, g.maximum(g.sum(weight, [1, 2]), 1e-6))));
  },
);

/**
 * 1 - Dice overlap of softmax(said) with the classes of places, its mean over classes, from class `first` on, and over samples. `squared`: the sums
 * below the fraction are of squares (Milletari et al., 3DV 2016).
 */
export const placeDice = layer(
  "placeDice",
  <S extends number[], K extends number>(
    g: Builder,
    said: Tensor<["B", ...S, K]>,
    labels: Tensor<["B", ...S], "int32">,
    o: { readonly first: number; readonly squared: boolean; readonly smooth: number },
  ): Tensor<[]> => {
    const [batch, classes] = [said.shape[0] as number, said.shape.at(-1) as number];
    const { wanted, counts } = classesApart(g, labels, classes);
    const shares = g.mul(g.softmax(inRow(g, said)), counts);
    const total = (x: Tensor): Tensor => g.slice(g.sum(x, [1]), [0, o.first], [batch, classes - o.first]); // [B, K - first]
    const common = total(g.mul(shares, wanted));
    const both = g.add(total(o.squared ? g.mul(shares, shares) : shares), total(wanted));
    const overlap = g.div(g.add(g.mul(common, 2), o.smooth), g.add(both, o.smooth));
    return claim(g.add(g.neg(g.mean(overlap)), 1));
  },
);
