/** Ridge regression of frozen features onto a number of each sample, solved exactly. */

import { shuffled } from "../../graph/index.js";
import { ratio, reals } from "../params.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { addGram, cholesky, mirror, samplesAtOnce, solveCholesky } from "./products.js";

export const regression = defineProbe({
  name: "regression",
  summary: "Linear regression with an L2 penalty onto the number of each sample, in closed form.",
  source: "Hoerl and Kennard, Ridge Regression, Technometrics 1970; penalties by tens: own definition",
  since: "0.2",
  params: {
    l2: reals({
      min: 0,
      default: [0.01, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6],
      doc: "Penalties tried; the one that does best on the held-out samples is used.",
    }),
    held_out: ratio({
      min: 0,
      max: 0.9,
      open: true,
      default: 0.1,
      doc: "Part of the training samples, drawn at random, on which the penalty is chosen.",
    }),
  },
  requires: [
    {
      name: "penalties",
      at: "l2",
      doc: "There is at least one penalty, and none is zero.",
      holds: (p) => p.l2.length > 0 && p.l2.every((l2) => l2 > 0),
      say: (p) =>
        p.l2.length === 0 ? "no penalty is given" : "a penalty of 0 leaves features that are sums of others undecided",
      help: () => "leave `l2` out to try powers of ten from 0.01 to 1000000",
    },
  ],
  needs: "values",
  scale: "number",
  async run(p, train, test, random, tick) {
    const held = Math.min(Math.max(1, Math.round(train.count * p.held_out)), train.count - 1);
    const order = shuffled(train.count, random);
    const [heldOut, rest] = [order.subarray(0, held), order.subarray(held)];
    const [fitted, ordered] = [await momentsOf(train, rest), [...p.l2].sort((a, b) => b - a)];
    let best = { penalty: ordered[0] as number, rmse: Number.POSITIVE_INFINITY };
    for (const [i, penalty] of ordered.entries()) {
      const { rmse } = errorsOf(lineFrom(fitted, penalty), train, heldOut);
      if (rmse < best.rmse) best = { penalty, rmse };
      tick?.(i + 1, ordered.length);
      await pause();
    }
    const line = lineFrom(await momentsOf(train, order), best.penalty);
    return {
      scores: errorsOf(
        line,
        test,
        Int32Array.from({ length: test.count }, (_, row) => row),
      ),
      protocol:
        `ridge regression, features standardised, intercept not penalised: L2 penalty ${best.penalty} of ${p.l2.length} tried (error ` +
        `${best.rmse.toPrecision(3)} on ${held} held-out training samples), then fitted on all ${train.count} training samples; ${test.count} test ` +
        "samples: root of the mean squared error, mean error, and the share of the variance that is told (R2)",
    };
  },
});

/** Sums over samples from which a regression follows; features and numbers less their means. */
interface Moments {
  readonly count: number;
  readonly means: Float64Array;
  readonly mean: number;
  readonly products: Float64Array;
  readonly withNumber: Float64Array;
}

const numberOf = ({ targets }: Features, row: number): number => targets?.[row] as number;

async function momentsOf(features: Features, rows: Int32Array): Promise<Moments> {
  const { width, values } = features;
  const [means, products, withNumber] = [
    new Float64Array(width),
    new Float64Array(width * width),
    new Float64Array(width),
  ];
  let mean = 0;
  for (const row of rows) {
    mean += numberOf(features, row) / rows.length;
    for (let j = 0; j < width; j++) means[j] = (means[j] as number) + (values[row * width + j] as number) / rows.length;
  }
  for (let start = 0; start < rows.length; start += samplesAtOnce) {
    const own = rows.subarray(start, start + samplesAtOnce);
    const block = new Float64Array(width * own.length);
    for (const [i, row] of own.entries()) {
      const number = numberOf(features, row) - mean;
      for (let j = 0; j < width; j++) {
        const value = (values[row * width + j] as number) - (means[j] as number);
        block[j * own.length + i] = value;
        withNumber[j] = (withNumber[j] as number) + value * number;
      }
    }
    addGram(block, width, own.length, products);
    await pause();
  }
  mirror(products, width);
  return { count: rows.length, means, mean, products, withNumber };
}

interface Line {
  readonly weight: Float64Array;
  readonly bias: number;
}

/** A feature that is the same in all samples tells nothing, and becomes zero. */
function lineFrom({ count, means, mean, products, withNumber }: Moments, penalty: number): Line {
  const width = means.length;
  const deviation = means.map((_, j) => Math.sqrt((products[j * width + j] as number) / count) || 1);
  const of = (i: number): number => deviation[i] as number;
  const system = products.map((value, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    return value / (of(i) * of(j)) + (i === j ? penalty : 0);
  });
  const weight = withNumber.map((value, j) => value / of(j));
  solveCholesky(cholesky(system, width), width, weight, 0);
  const plain = weight.map((value, j) => value / of(j));
  return { weight: plain, bias: plain.reduce((sum, value, j) => sum - value * (means[j] as number), mean) };
}

function errorsOf({ weight, bias }: Line, features: Features, rows: Int32Array) {
  const { width, values } = features;
  const mean = rows.reduce((sum, row) => sum + numberOf(features, row) / rows.length, 0);
  let [squared, absolute, whole] = [0, 0, 0];
  for (const row of rows) {
    const said = weight.reduce((sum, value, j) => sum + value * (values[row * width + j] as number), bias);
    const number = numberOf(features, row);
    squared += (said - number) ** 2;
    absolute += Math.abs(said - number);
    whole += (number - mean) ** 2;
  }
  return { rmse: Math.sqrt(squared / rows.length), mean_absolute: absolute / rows.length, r2: 1 - squared / whole };
}
