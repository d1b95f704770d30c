/** The time of a training: at the rate of the measured pass that is most like its own. */

import { expect, it } from "vitest";
import { costOf, plan } from "../../compiler/index.js";
import { exampleOf } from "../support/model.js";

const analysis = exampleOf("digits.mae");
const [model] = [...analysis.models.values()];
const [recipe] = [...analysis.recipes.values()];
if (!model || !recipe) throw new Error("the example has no model or no recipe");
const each = costOf(model).flops.training;

const rate = (times: number, flopsPerSecond: number) => ({ flopsAtOnce: times * each, flopsPerSecond, device: "here" });
const timeOf = (...rates: readonly ReturnType<typeof rate>[]) =>
  plan(model, { recipe, batch: 64, samples: 640, splitting: { by: "size", samples: 32 }, rates }).time;

it("is unknown where nothing was measured, or nothing like it", () => {
  expect(timeOf()).toBeNull();
  expect(timeOf(rate(32 * 1001, 1e9), rate(32 / 1001, 1e9))).toBeNull();
});

it("takes the rate of the nearest size of pass, and counts whole steps", () => {
  const [small, like, large] = [rate(1, 1e8), rate(40, 1e9), rate(2000, 1e10)];
  const time = timeOf(small, like, large);
  expect(time?.rate).toBe(like);
  expect(time?.secondsPerStep).toBeCloseTo((64 * each) / 1e9, 12);
  expect(timeOf(small, large)?.rate).toBe(small);
});
