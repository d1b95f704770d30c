/** Ridge regression of frozen features onto a number of each sample, solved exactly. */

import { defineProbe, type Features, pause } from "./contract.js";
import { errorsOf, errorWords } from "./number-errors.js";
import { penaltyParams, somePenalties, withHeldOut } from "./penalties.js";
import { addGram, cholesky, mirror, samplesAtOnce, solveCholesky } from "./products.js";

export const regression = defineProbe({
  name: "regression",
  summary: "Linear regression with an L2 penalty onto the number of each sample, in closed form.",
  source: "Hoerl and Kennard, Ridge Regression, Technometrics 1970; penalties by tens: own definition",
  since: "0.2",
  params: penaltyParams,
  requires: [somePenalties],
  needs: "values",
  scale: "number",
  async run(p, train, test, random, tick) {
    const { order, heldOut, rest } = withHeldOut(train.count, p.held_out, random);
    const [fitted, ordered] = [await momentsOf(train, rest), [...p.l2].sort((a, b) => b - a)];
    let best = { penalty: ordered[0] as number, rmse: Number.POSITIVE_INFINITY };
    for (const [i, penalty] of ordered.entries()) {
      const { rmse = Number.POSITIVE_INFINITY } = errorsIn(lineFrom(fitted, penalty), train, heldOut);
      if (rmse < best.rmse) best = { penalty, rmse };
      tick?.(i + 1, ordered.length);
      await pause();
    }
    const line = lineFrom(await momentsOf(train, order), best.penalty);
    return {
      scores: errorsIn(
        line,
        test,
        Int32Array.from({ length: test.count }, (_, row) => row),
      ),
      protocol:
        `ridge regression, features standardised, intercept not penalised: L2 penalty ${best.penalty} of ${p.l2.length} tried (error ` +
        `${best.rmse.toPrecision(3)} on ${heldOut.length} held-out training samples), then fitted on all ${train.count} training samples; ${test.count} test ` +
        `samples: ${errorWords}`,
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

/** What a line says of some rows, beside their numbers. */
function errorsIn({ weight, bias }: Line, features: Features, rows: Int32Array): Readonly<Record<string, number>> {
  const { width, values } = features;
  const said = Float64Array.from(rows, (row) =>
    weight.reduce((sum, value, j) => sum + value * (values[row * width + j] as number), bias),
  );
  return errorsOf(
    said,
    Float64Array.from(rows, (row) => numberOf(features, row)),
  );
}
