/** A linear classifier over features, and the accuracy of class scores: what all probes end in. */

import type { Features } from "./contract.js";
import { rowProducts, samplesAtOnce } from "./products.js";

/** score of class k = weight[k] . feature + bias[k] */
export interface Classifier {
  /** [classes, width] */
  readonly weight: Float64Array;
  /** [classes] */
  readonly bias: Float64Array;
}

/** A classifier of standardised features, (x - mean) / deviation, as one of the features themselves. */
export function unstandardized(classifier: Classifier, mean: Float64Array, deviation: Float64Array): Classifier {
  const width = mean.length;
  const weight = classifier.weight.map((w, i) => w / (deviation[i % width] as number));
  const bias = classifier.bias.map((b, k) => {
    let shift = 0;
    for (let j = 0; j < width; j++) shift += (weight[k * width + j] as number) * (mean[j] as number);
    return b - shift;
  });
  return { weight, bias };
}

/** Class scores [rows.length, classes] of the given rows of the features; all rows when none are given. */
export function classScores(classifier: Classifier, features: Features, rows?: Int32Array): Float64Array {
  const { width, classes, values } = features;
  const count = rows?.length ?? features.count;
  const scores = new Float64Array(count * classes);
  const block = new Float64Array(samplesAtOnce * width);
  const products = new Float64Array(samplesAtOnce * classes);
  for (let start = 0; start < count; start += samplesAtOnce) {
    const size = Math.min(samplesAtOnce, count - start);
    for (let r = 0; r < size; r++) {
      const row = rows === undefined ? start + r : (rows[start + r] as number);
      block.set(values.subarray(row * width, (row + 1) * width), r * width);
    }
    rowProducts(block, size, classifier.weight, classes, width, products);
    for (let i = 0; i < size * classes; i++) {
      scores[start * classes + i] = (products[i] as number) + (classifier.bias[i % classes] as number);
    }
  }
  return scores;
}

/**
 * Place of class `label` among the scores of one sample, from 0; of equal scores the lower class comes first.
 * A score of -Infinity says that the class was not considered, one that is no number that training failed: they come last.
 */
export function placeOf(scores: Float64Array, from: number, classes: number, label: number): number {
  const own = scores[from + label] as number;
  if (!(own > -Infinity)) return classes;
  let better = 0;
  for (let k = 0; k < classes; k++) {
    const other = scores[from + k] as number;
    if (other > own || (other === own && k < label)) better++;
  }
  return better;
}

/** Share of samples whose class is the first, and among the first five where there are more than five classes. */
export function accuracy(scores: Float64Array, labels: Int32Array, classes: number): Record<string, number> {
  let first = 0;
  let amongFive = 0;
  for (let i = 0; i < labels.length; i++) {
    const place = placeOf(scores, i * classes, classes, labels[i] as number);
    if (place < 1) first++;
    if (place < 5) amongFive++;
  }
  const top1 = first / labels.length;
  return classes > 5 ? { top1, top5: amongFive / labels.length } : { top1 };
}
