/** Several views of a sample as one row: the mean of their features, or of what a head says in the scale in which shares are added. */

import type { Features } from "../../blocks/index.js";
import type { Views } from "../data/batches.js";

/** A scale in which the numbers of a row are averaged, and the way back. */
export interface Scale {
  readonly to: (row: Float32Array) => Float32Array;
  readonly back: (row: Float32Array) => Float32Array;
}

/** Logits of classes: their shares are averaged, as the published evaluations of videos do. */
export const classShares: Scale = {
  to(logits) {
    const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const parts = logits.map((logit) => Math.exp(logit - largest));
    const total = parts.reduce((sum, part) => sum + part, 0);
    return parts.map((part) => part / total);
  },
  back: (shares) => shares.map(Math.log),
};

/** Logits of classes that are judged each by itself: the share of each is averaged. */
export const eachShare: Scale = {
  to: (logits) => logits.map((logit) => 1 / (1 + Math.exp(-logit))),
  back: (shares) => shares.map((share) => Math.log(share / (1 - share))),
};

const plain: Scale = { to: (row) => row, back: (row) => row };

/** Rows of views of one sample lie one after another. */
export function meanOverViews(features: Features, { clips, crops }: Views, { to, back }: Scale = plain): Features {
  const views = clips * crops;
  if (views === 1) return features;
  const { values, labels, several, targets, width, classes } = features;
  const count = features.count / views;
  const means = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const sums = new Float64Array(width);
    for (let v = 0; v < views; v++) {
      const from = (i * views + v) * width;
      for (const [j, value] of to(values.subarray(from, from + width)).entries()) sums[j] = (sums[j] as number) + value;
    }
    means.set(back(Float32Array.from(sums, (sum) => sum / views)), i * width);
  }
  const isFirst = (row: number): boolean => row % views === 0;
  return {
    ...features,
    values: means,
    labels: labels.filter((_, row) => isFirst(row)),
    ...(targets ? { targets: targets.filter((_, row) => isFirst(row)) } : {}),
    ...(several ? { several: several.filter((_, at) => isFirst(Math.floor(at / classes))) } : {}),
    count,
  };
}
