/** How far the numbers that are said of samples lie from those that the data have: of a head, and of regressions. */

import { defineProbe } from "./contract.js";

/** Root of the mean squared error, mean error, the share of the variance that is told, and Pearson's correlation. What cannot be measured is left out. */
export function errorsOf(said: Float64Array, there: Float64Array): Readonly<Record<string, number>> {
  const count = there.length;
  const meanOf = (numbers: Float64Array): number => numbers.reduce((sum, number) => sum + number, 0) / count;
  const [ownMean, mean] = [meanOf(said), meanOf(there)];
  let [squared, absolute, whole, own, both] = [0, 0, 0, 0, 0];
  for (const [i, number] of there.entries()) {
    const error = (said[i] as number) - number;
    const [beside, besideOwn] = [number - mean, (said[i] as number) - ownMean];
    squared += error ** 2;
    absolute += Math.abs(error);
    whole += beside ** 2;
    own += besideOwn ** 2;
    both += beside * besideOwn;
  }
  const scores = {
    rmse: Math.sqrt(squared / count),
    mean_absolute: absolute / count,
    r2: 1 - squared / whole,
    pearson: both / Math.sqrt(whole * own),
  };
  return Object.fromEntries(Object.entries(scores).filter(([, score]) => Number.isFinite(score)));
}

/** What these scores are, in words. */
export const errorWords =
  "root of the mean squared error, mean error, the share of the variance that is told (R2), and Pearson's correlation";

export const numberErrors = defineProbe({
  name: "number_errors",
  summary:
    "How far the numbers that the model's own head says of test samples are: root of mean square, mean, R2, correlation.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 4.1 (STS-B)",
  since: "0.2",
  params: {},
  requires: [
    {
      name: "head",
      at: null,
      doc: "The model has a head that says a number of a sample.",
      holds: (_, { says }) => says === "number",
      say: () => "the model has no head that says a number of a sample",
      help: () => "judge its features by `regression`, or give it the head `regressor`",
    },
  ],
  sees: "predictions",
  needs: "values",
  scale: "number",
  run: async (_, __, test) => ({
    scores: errorsOf(Float64Array.from(test.values), test.targets as Float64Array),
    protocol: `the head's numbers of ${test.count} test samples: ${errorWords}`,
  }),
});
