/** Ridge regression onto numbers, and what heads say of samples: errors as scikit-learn and SciPy have them. */

import { expect, test } from "vitest";
import { type Features, numberErrors, regression } from "../../../blocks/probe/index.js";
import { randomStream } from "../../../graph/index.js";
import recorded from "../../reference/regression.json" with { type: "json" };
import { valuesOf } from "../../support/data.js";

const { width, penalty } = recorded;

const featuresOf = ({
  values,
  targets,
}: {
  readonly values: readonly number[];
  readonly targets: readonly number[];
}): Features => ({
  ...{ values: Float32Array.from(values), labels: new Int32Array(targets.length).fill(-1), width, classes: 0 },
  ...{ targets: Float64Array.from(targets), count: targets.length },
});

test("the errors of the test samples are scikit-learn's, with a feature that is always the same", async () => {
  const values = valuesOf(regression, { l2: [penalty] });
  const [train, tested] = [featuresOf(recorded.train), featuresOf(recorded.test)];
  const { scores } = await regression.run(values, train, tested, randomStream(0, "probe"));
  expect(Object.keys(scores)).toEqual(Object.keys(recorded.scores));
  for (const [name, score] of Object.entries(recorded.scores)) expect(scores[name], name).toBeCloseTo(score, 9);
});

test("the errors of numbers that a head says are the same, and what cannot be measured is left out", async () => {
  const values = valuesOf(numberErrors, {});
  const said = { ...featuresOf({ values: recorded.said, targets: recorded.test.targets }), width: 1 };
  const { scores } = await numberErrors.run(values, said, said, randomStream(0, "probe"));
  for (const [name, score] of Object.entries(recorded.scores)) {
    expect(Math.abs((scores[name] as number) - score), name).toBeLessThan(1e-4);
  }
  const alike = { ...said, values: said.values.fill(40) };
  const { scores: ofAlike } = await numberErrors.run(values, alike, alike, randomStream(0, "probe"));
  expect(Object.keys(ofAlike)).toEqual(["rmse", "mean_absolute", "r2"]);
});
