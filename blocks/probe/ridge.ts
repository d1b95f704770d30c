/** Ridge regression onto classes, solved exactly: the same answer on every machine, in seconds. */

import { accuracy, type Classifier, classScores, unstandardized } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { worthOf } from "./measures.js";
import { penaltyParams, somePenalties, withHeldOut } from "./penalties.js";
import { addGram, cholesky, mirror, samplesAtOnce, solveCholesky } from "./products.js";

/** Added to each deviation, as in big_vision: a constant feature becomes zero instead of a division by zero. */
const leastDeviation = 1e-5;

export const ridge = defineProbe({
  name: "ridge",
  summary: "Linear regression with an L2 penalty onto -1 and 1 for each class, in closed form.",
  source:
    "big_vision, few-shot evaluator (Kolesnikov et al., ECCV 2020); intercept without penalty and penalties by tens: own definition",
  since: "0.1",
  params: penaltyParams,
  requires: [somePenalties],
  async run(p, train, test, random, tick) {
    const { heldOut } = withHeldOut(train.count, p.held_out, random);
    const { classifier, penalty, heldOutTop1 } = await fitRidge(train, heldOut, p.l2, tick);
    return {
      scores: worthOf(classScores(classifier, test), test, "each class"),
      protocol:
        `ridge regression onto -1 and 1, features standardised, intercept not penalised: ` +
        `L2 penalty ${penalty} of ${p.l2.length} tried (top 1 of ${(100 * heldOutTop1).toFixed(2)} % on ${heldOut.length} held-out training ` +
        `samples), then fitted on all ${train.count} training samples; ${test.count} test samples, no augmentation`,
    };
  },
});

/** Sums over samples from which every regression on them follows. Values are taken relative to `centre`. */
interface Moments {
  readonly centre: Float64Array;
  readonly count: number;
  /** [width] */
  readonly sum: Float64Array;
  /** [width, width] */
  readonly products: Float64Array;
  /** [classes, width] */
  readonly classSums: Float64Array;
  /** [classes] */
  readonly classCounts: Float64Array;
}

/** The penalty that does best on the held-out rows (of equals the largest), and the regression with it on all rows. */
export async function fitRidge(
  train: Features,
  heldOut: Int32Array,
  penalties: readonly number[],
  tick?: (done: number, total: number) => void,
): Promise<{ readonly classifier: Classifier; readonly penalty: number; readonly heldOutTop1: number }> {
  const isHeldOut = new Uint8Array(train.count);
  for (const row of heldOut) isHeldOut[row] = 1;
  const rest = Int32Array.from({ length: train.count }, (_, row) => row).filter((row) => isHeldOut[row] === 0);
  const centre = meanOf(train);
  const fitted = await momentsOf(train, rest, centre);
  const all = added(fitted, await momentsOf(train, heldOut, centre));
  const labels = Int32Array.from(heldOut, (row) => train.labels[row] as number);
  let best = { penalty: 0, heldOutTop1: -1 };
  const ordered = [...penalties].sort((a, b) => b - a);
  for (const [i, penalty] of ordered.entries()) {
    const scores = classScores(ridgeFrom(fitted, penalty), train, heldOut);
    const heldOutTop1 = accuracy(scores, labels, train.classes).top1 as number;
    if (heldOutTop1 > best.heldOutTop1) best = { penalty, heldOutTop1 };
    tick?.(i + 1, ordered.length);
    await pause();
  }
  return { ...best, classifier: ridgeFrom(all, best.penalty) };
}

/** The regression with one penalty on all rows. */
export async function ridgeOf(train: Features, penalty: number): Promise<Classifier> {
  const rows = Int32Array.from({ length: train.count }, (_, row) => row);
  return ridgeFrom(await momentsOf(train, rows, meanOf(train)), penalty);
}

function meanOf({ values, count, width }: Features): Float64Array {
  const mean = new Float64Array(width);
  for (let row = 0, at = 0; row < count; row++) {
    for (let j = 0; j < width; j++, at++) mean[j] = (mean[j] as number) + (values[at] as number);
  }
  return mean.map((sum) => sum / count);
}

async function momentsOf(features: Features, rows: Int32Array, centre: Float64Array): Promise<Moments> {
  const { width, classes, values, labels } = features;
  const sum = new Float64Array(width);
  const classSums = new Float64Array(classes * width);
  const classCounts = new Float64Array(classes);
  const products = new Float64Array(width * width);
  for (let start = 0; start < rows.length; start += samplesAtOnce) {
    const size = Math.min(samplesAtOnce, rows.length - start);
    // [width, size]: one row a feature, so that products of features are products of rows.
    const block = new Float64Array(width * size);
    for (let i = 0; i < size; i++) {
      const row = rows[start + i] as number;
      const label = labels[row] as number;
      classCounts[label] = (classCounts[label] as number) + 1;
      for (let j = 0; j < width; j++) {
        const value = (values[row * width + j] as number) - (centre[j] as number);
        block[j * size + i] = value;
        sum[j] = (sum[j] as number) + value;
        classSums[label * width + j] = (classSums[label * width + j] as number) + value;
      }
    }
    addGram(block, width, size, products);
    await pause();
  }
  mirror(products, width);
  return { centre, count: rows.length, sum, products, classSums, classCounts };
}

function added(a: Moments, b: Moments): Moments {
  const plus = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + (y[i] as number));
  return {
    centre: a.centre,
    count: a.count + b.count,
    sum: plus(a.sum, b.sum),
    products: plus(a.products, b.products),
    classSums: plus(a.classSums, b.classSums),
    classCounts: plus(a.classCounts, b.classCounts),
  };
}

/** The regression with one penalty, as a classifier of the features as they are. */
function ridgeFrom(moments: Moments, penalty: number): Classifier {
  const { count, sum, products, classSums, classCounts, centre } = moments;
  const width = sum.length;
  const shift = sum.map((value) => value / count);
  const deviation = shift.map((mean, j) => {
    const variance = (products[j * width + j] as number) / count - mean * mean;
    return Math.sqrt(Math.max(variance, 0)) + leastDeviation;
  });
  const system = products.map((value, at) => {
    const i = Math.floor(at / width);
    const j = at % width;
    const covariance = value - count * (shift[i] as number) * (shift[j] as number);
    return covariance / ((deviation[i] as number) * (deviation[j] as number)) + (i === j ? penalty : 0);
  });
  const lower = cholesky(system, width);
  // Standardised features sum to zero, so the intercept is the mean target and only a class's own samples count twice.
  const weight = classSums.map((value, at) => {
    const k = Math.floor(at / width);
    const j = at % width;
    return (2 * (value - (classCounts[k] as number) * (shift[j] as number))) / (deviation[j] as number);
  });
  for (let k = 0; k < classCounts.length; k++) solveCholesky(lower, width, weight, k * width);
  const bias = classCounts.map((samples) => (2 * samples) / count - 1);
  const mean = centre.map((value, j) => value + (shift[j] as number));
  return unstandardized({ weight, bias }, mean, deviation);
}
