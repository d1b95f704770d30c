/**
 * What class scores are worth beyond the share that is right: class by class, by rank, and whether a model is as sure as it is right.
 * Classes of which there is no sample have no measure and count in no mean.
 */

import { accuracy, placeOf } from "./classifier.js";
import type { Features } from "./contract.js";

/** Equal parts of [0, 1] by which calibration is measured. */
const calibrationBins = 15;

/** What is told of one class. null: it cannot be measured. */
export interface ClassMeasures {
  /** Test samples of the class. */
  readonly samples: number;
  /** Share of them that are named so; null without any. */
  readonly recall: number | null;
  /** Share of those named so that are of the class; null where nothing is. */
  readonly precision: number | null;
  readonly f1: number | null;
  /** Share of pairs of a sample of the class and another in which the first has the higher share; ties count half. */
  readonly auroc: number | null;
  readonly average_precision: number | null;
}

export interface Measures {
  readonly scores: Readonly<Record<string, number>>;
  readonly details: {
    readonly per_class: readonly ClassMeasures[];
    /** Samples by true class, row by row, and class named. */
    readonly confusion: readonly (readonly number[])[];
  };
}

/**
 * What class scores are worth: the share that is right and how well they rank, or where samples have several classes, mean measures of the
 * classes. `as`: a softmax makes shares of logits that were trained together; what was fitted for each class against all others ranks as it is.
 */
export function worthOf(
  scores: Float64Array,
  { labels, several, classes }: Pick<Features, "labels" | "several" | "classes">,
  as: "logits" | "each class",
): Readonly<Record<string, number>> {
  if (several) return severalMeasures(scores, several, classes).scores;
  const ranked = as === "logits" ? softmaxRows(scores, classes) : scores;
  return { ...accuracy(scores, labels, classes), ...rankMeasures(ranked, labels, classes) };
}

/** Means over the classes, each against all others, of what its scores [samples, classes] put first; no measure where no class has one. */
function rankMeasures(scores: Float64Array, labels: Int32Array, classes: number): Readonly<Record<string, number>> {
  const perClass = Array.from({ length: classes }, (_, k) => {
    const isOf = Array.from(labels, (label) => label === k);
    const own = Float64Array.from(labels, (_, i) => scores[i * classes + k] as number);
    return { auroc: areaUnderRoc(own, isOf), average_precision: averagePrecision(own, isOf) };
  });
  const means = {
    auroc: meanKnown(perClass.map(({ auroc }) => auroc)),
    mean_average_precision: meanKnown(perClass.map(({ average_precision }) => average_precision)),
  };
  return Object.fromEntries(Object.entries(means).filter(([, mean]) => !Number.isNaN(mean)));
}

/**
 * Of samples that have any number of classes: each class is judged by itself, as named where its score is above 0.
 * @param scores logits [samples, width], of which the first `classes` are of classes that the data have
 * @param flags [samples, classes]: 1 for each class of a sample
 */
export function severalMeasures(
  scores: Float64Array,
  flags: Uint8Array,
  classes: number,
  width = classes,
): { readonly scores: Readonly<Record<string, number>>; readonly details: Pick<Measures["details"], "per_class"> } {
  const count = scores.length / width;
  const perClass = Array.from({ length: classes }, (_, k) => {
    const own = Float64Array.from({ length: count }, (_, i) => scores[i * width + k] as number);
    const isOf = Array.from(own, (_, i) => flags[i * classes + k] === 1);
    const isNamed = Array.from(own, (score) => score > 0);
    return measuresOf(own, isOf, isNamed);
  });
  return { scores: meansOf(perClass), details: { per_class: perClass } };
}

/** One class. `scores`: how much each sample is of it. */
function measuresOf(scores: Float64Array, isOf: readonly boolean[], isNamed: readonly boolean[]): ClassMeasures {
  const samples = isOf.filter(Boolean).length;
  const claimed = isNamed.filter(Boolean).length;
  const right = isOf.filter((is, i) => is && isNamed[i]).length;
  return {
    samples,
    recall: samples === 0 ? null : right / samples,
    precision: claimed === 0 ? null : right / claimed,
    f1: samples + claimed === 0 ? null : (2 * right) / (samples + claimed),
    auroc: areaUnderRoc(scores, isOf),
    average_precision: averagePrecision(scores, isOf),
  };
}

const meansOf = (perClass: readonly ClassMeasures[]) => ({
  mean_average_precision: meanKnown(perClass.map(({ average_precision }) => average_precision)),
  macro_f1: meanKnown(perClass.map(({ f1 }) => f1)),
  auroc: meanKnown(perClass.map(({ auroc }) => auroc)),
});

/** @param scores logits [samples, classes] */
export function measures(scores: Float64Array, labels: Int32Array, classes: number): Measures {
  const shares = softmaxRows(scores, classes);
  const named = namedClasses(scores, classes);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = confusion[labels[i] as number] as number[];
    row[named[i] as number] = (row[named[i] as number] as number) + 1;
  }
  const perClass = confusion.map((_, k) => {
    const own = Float64Array.from({ length: labels.length }, (_, i) => shares[i * classes + k] as number);
    return measuresOf(
      own,
      Array.from(labels, (label) => label === k),
      Array.from(named, (name) => name === k),
    );
  });
  const { macro_f1, auroc, mean_average_precision } = meansOf(perClass);
  const ofTwo =
    classes === 2
      ? equalErrorRate(
          shares.filter((_, at) => at % 2 === 1),
          labels,
        )
      : null;
  return {
    scores: {
      ...accuracy(scores, labels, classes),
      macro_f1,
      auroc,
      ...(ofTwo === null ? {} : { equal_error_rate: ofTwo }),
      mean_average_precision,
      calibration_error: calibrationError(shares, named, labels, classes),
    },
    details: { per_class: perClass, confusion },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** NaN where none is known: no score, rather than a wrong one. */
function meanKnown(numbers: readonly (number | null)[]): number {
  const known = numbers.filter((number) => number !== null);
  return sum(known) / known.length;
}

function softmaxRows(scores: Float64Array, classes: number): Float64Array {
  const shares = new Float64Array(scores.length);
  for (let from = 0; from < scores.length; from += classes) {
    const own = scores.subarray(from, from + classes);
    const largest = own.reduce((most, score) => Math.max(most, score), -Infinity);
    const total = own.reduce((all, score) => all + Math.exp(score - largest), 0);
    for (let k = 0; k < classes; k++) shares[from + k] = Math.exp((own[k] as number) - largest) / total;
  }
  return shares;
}

/** The class that comes first, of equals the lower. */
function namedClasses(scores: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: scores.length / classes }, (_, i) => {
    for (let k = 0; k < classes; k++) if (placeOf(scores, i * classes, classes, k) === 0) return k;
    return 0;
  });
}

/** Indices by falling score, and where runs of equal scores end. */
function byFallingScore(scores: Float64Array): readonly (readonly number[])[] {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const runs: number[][] = [];
  for (const at of order) {
    const last = runs.at(-1);
    if (last && scores[last[0] as number] === scores[at]) last.push(at);
    else runs.push([at]);
  }
  return runs;
}

/**
 * Of two classes, the share of errors where as large a share of each is taken for the other, between two scores on the line between them; null
 * where all samples are of one class.
 * @param scores how much each sample is of class 1
 */
export function equalErrorRate(scores: Float64Array, labels: Int32Array): number | null {
  const positive = labels.filter((label) => label === 1).length;
  const negative = labels.length - positive;
  if (positive === 0 || negative === 0) return null;
  let [alarms, misses] = [0, 1];
  for (const run of byFallingScore(scores)) {
    const own = run.filter((at) => labels[at] === 1).length;
    const [next, left] = [alarms + (run.length - own) / negative, misses - own / positive];
    if (next >= left) {
      // How far from one point to the next both are equal.
      const part = (misses - alarms) / (misses - alarms + next - left);
      return alarms + part * (next - alarms);
    }
    [alarms, misses] = [next, left];
  }
  return 1;
}

/** null where all or none are of the class. */
export function areaUnderRoc(scores: Float64Array, isOf: readonly boolean[]): number | null {
  const positive = isOf.filter(Boolean).length;
  const negative = isOf.length - positive;
  if (positive === 0 || negative === 0) return null;
  let [before, area] = [0, 0];
  for (const run of byFallingScore(scores)) {
    const own = run.filter((at) => isOf[at]).length;
    const others = run.length - own;
    area += others * (before + own / 2);
    before += own;
  }
  return area / (positive * negative);
}

/**
 * The area up to a share of false alarms, standardised by McClish: 0.5 for what is drawn by lot, 1 for what has no false alarm, as
 * scikit-learn's roc_auc_score with `max_fpr`; null where all or none are of the class.
 */
export function partialAreaUnderRoc(scores: Float64Array, isOf: readonly boolean[], most: number): number | null {
  const positive = isOf.filter(Boolean).length;
  const negative = isOf.length - positive;
  if (positive === 0 || negative === 0) return null;
  let [alarms, hits, area] = [0, 0, 0];
  for (const run of byFallingScore(scores)) {
    const own = run.filter((at) => isOf[at]).length;
    const [next, nextHits] = [alarms + (run.length - own) / negative, hits + own / positive];
    const end = Math.min(next, most);
    const reached = next > alarms ? hits + ((nextHits - hits) * (end - alarms)) / (next - alarms) : nextHits;
    area += ((end - alarms) * (hits + reached)) / 2;
    [alarms, hits] = [next, nextHits];
    if (alarms >= most) break;
  }
  const least = most ** 2 / 2;
  return 0.5 * (1 + (area - least) / (most - least));
}

/** The mean of precision over the samples of the class, each at the score that takes it in; null where there are none. */
export function averagePrecision(scores: Float64Array, isOf: readonly boolean[]): number | null {
  const positive = isOf.filter(Boolean).length;
  if (positive === 0) return null;
  let [right, taken, total] = [0, 0, 0];
  for (const run of byFallingScore(scores)) {
    const own = run.filter((at) => isOf[at]).length;
    right += own;
    taken += run.length;
    total += (own * right) / taken;
  }
  return total / positive;
}

/** Mean distance between how sure a model is and how often it is right, over equal parts of its sureness, by their samples. */
function calibrationError(shares: Float64Array, named: Int32Array, labels: Int32Array, classes: number): number {
  const bins = Array.from({ length: calibrationBins }, () => ({ sure: 0, right: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const share = shares[i * classes + (named[i] as number)] as number;
    // Each part has its upper end, as in the official code.
    const bin = bins[Math.min(calibrationBins - 1, Math.max(0, Math.ceil(share * calibrationBins) - 1))];
    if (!bin) continue;
    bin.sure += share;
    bin.right += named[i] === labels[i] ? 1 : 0;
  }
  return sum(bins.map(({ sure, right }) => Math.abs(sure - right))) / labels.length;
}
