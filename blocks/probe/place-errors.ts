/** How far the numbers that a head says of places are from those that stand there, over all test samples. */

import { defineValueProbe } from "./contract.js";
import { slidingFits, slidingParams, slidingWords } from "./sliding.js";
import type { ValueErrors } from "./value-errors.js";

export const placeErrors = defineValueProbe({
  name: "place_errors",
  summary:
    "How far the numbers that a head says of places are: root of mean square, mean, share of the value, and how many are near.",
  source: "Eigen et al., Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, NeurIPS 2014",
  since: "0.2",
  params: { ...slidingParams },
  requires: [
    {
      name: "values",
      at: null,
      doc: "The model has a head that says values of places.",
      holds: (_, { says }) => says === "values",
      say: () => "the model does not say values of places",
      help: () => "judge its features or classes, or give it a head such as `place_values`",
    },
    ...slidingFits,
  ],
  async judgeValues(p, samples) {
    const total = (of: (one: ValueErrors) => number): number => samples.reduce((sum, one) => sum + of(one), 0);
    const [places, positive] = [total((one) => one.places), total((one) => one.positive)];
    const within = ([0, 1, 2] as const).map((k) => total((one) => one.within[k]) / positive);
    const scores = {
      rmse: Math.sqrt(total((one) => one.squared) / places),
      mean_absolute: total((one) => one.absolute) / places,
      relative: total((one) => one.relative) / positive,
      within_1_25: within[0] as number,
      within_1_25_2: within[1] as number,
      within_1_25_3: within[2] as number,
    };
    return {
      scores: Object.fromEntries(Object.entries(scores).filter(([, score]) => !Number.isNaN(score))),
      protocol:
        `over the ${places} places with a value of all ${samples.length} test samples together: root of the mean squared difference, mean difference; of the ${positive} whose value ` +
        `is above zero: mean difference as a share of the value, and shares whose ratio to it, or its to them, is below 1.25, its square and its cube${slidingWords(p)}`,
    };
  },
});
