/** Schedules: closed forms at known points, and what holds at every step. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DurationValue } from "../../../blocks/index.js";
import { constant, cosine, restarts, step } from "../../../blocks/schedule/index.js";

const epochs = (amount: number): DurationValue => ({ amount, unit: "epochs" });
const steps = (amount: number): DurationValue => ({ amount, unit: "steps" });

/** A training of some epochs, a warm-up shorter than it, and the factors at each of its steps. */
const trainings = fc
  .record({
    stepsPerEpoch: fc.integer({ min: 1, max: 20 }),
    epochs: fc.integer({ min: 1, max: 12 }),
    share: fc.double({ min: 0, max: 0.95, noNaN: true }),
    unit: fc.constantFrom("epochs" as const, "steps" as const),
  })
  .map(({ stepsPerEpoch, epochs, share, unit }) => ({
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * epochs,
    warmup: { amount: share * (unit === "epochs" ? epochs : epochs * stepsPerEpoch), unit },
    warmupSteps: share * epochs * stepsPerEpoch,
  }));

type Length = { readonly stepsPerEpoch: number; readonly totalSteps: number };

const curve = (factor: (at: Length & { readonly step: number }) => number, length: Length): number[] =>
  Array.from({ length: length.totalSteps + 1 }, (_, step) => factor({ ...length, step }));

const nowhereRising = (values: readonly number[]): boolean =>
  values.slice(1).every((value, i) => value <= (values[i] as number));

test.each([
  { name: "constant", factor: (warmup: DurationValue) => (at: never) => constant.factor({ warmup }, at, 1) },
  {
    name: "cosine",
    factor: (warmup: DurationValue) => (at: never) => cosine.factor({ warmup, floor: 0.1, min_lr: null }, at, 1),
  },
  {
    name: "step",
    factor: (warmup: DurationValue) => (at: never) => step.factor({ warmup, factor: 0.5, every: epochs(100) }, at, 1),
  },
])("$name rises evenly from 0 to the peak and never above it", ({ factor }) => {
  fc.assert(
    fc.property(trainings, (training) => {
      const values = curve(factor(training.warmup) as never, training);
      for (const [at, value] of values.entries()) {
        if (at < training.warmupSteps - 1e-6) expect(value).toBeCloseTo(at / training.warmupSteps, 9);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }),
  );
});

describe("cosine", () => {
  // MAE: 800 epochs, 40 of warm-up.
  const mae = { warmup: epochs(40), floor: 0, min_lr: null };
  const at = (epoch: number, p: typeof mae = mae) =>
    cosine.factor(p, { step: epoch * 312, stepsPerEpoch: 312, totalSteps: 800 * 312 }, 1);

  test("has the values of its formula", () => {
    expect(at(0)).toBe(0);
    expect(at(10)).toBeCloseTo(0.25, 12);
    expect(at(40)).toBe(1);
    expect(at(230)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
    expect(at(420)).toBeCloseTo(0.5, 12);
    expect(at(800)).toBe(0);
    expect(at(900)).toBe(0);
  });
  test("ends at its floor", () => {
    expect(at(420, { ...mae, floor: 0.2 })).toBeCloseTo(0.6, 12);
    expect(at(800, { ...mae, floor: 0.2 })).toBe(0.2);
  });
  test("falls from step to step after the warm-up", () => {
    fc.assert(
      fc.property(trainings, fc.double({ min: 0, max: 1, noNaN: true }), (training, floor) => {
        const values = curve(
          (progress) => cosine.factor({ warmup: training.warmup, floor, min_lr: null }, progress, 1),
          training,
        );
        expect(nowhereRising(values.slice(Math.ceil(training.warmupSteps)))).toBe(true);
        expect(values.at(-1)).toBeCloseTo(floor, 12);
      }),
    );
  });
  test("counts in epochs as in steps", () => {
    const progress = { step: 1234, stepsPerEpoch: 312, totalSteps: 800 * 312 };
    expect(cosine.factor({ warmup: steps(40 * 312), floor: 0, min_lr: null }, progress, 1)).toBe(
      cosine.factor(mae, progress, 1),
    );
  });
  test("is finite when the warm-up fills the whole training", () => {
    const all = curve((progress) => cosine.factor({ warmup: steps(10), floor: 0, min_lr: null }, progress, 1), {
      stepsPerEpoch: 5,
      totalSteps: 10,
    });
    expect(all).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0]);
  });
});

test("constant stays at the peak", () => {
  const values = curve((progress) => constant.factor({ warmup: steps(2) }, progress, 1), {
    stepsPerEpoch: 3,
    totalSteps: 5,
  });
  expect(values).toEqual([0, 0.5, 1, 1, 1, 1]);
});

describe("step", () => {
  test("falls at equal distances from the first step", () => {
    const p = { every: epochs(2), factor: 0.1, warmup: epochs(0) };
    const values = curve((progress) => step.factor(p, progress, 1), { stepsPerEpoch: 2, totalSteps: 9 });
    expect(values.map((value) => Number(value.toPrecision(6)))).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
  });
  test("never rises after the warm-up", () => {
    fc.assert(
      fc.property(trainings, fc.integer({ min: 1, max: 30 }), (training, every) => {
        const p = { every: steps(every), factor: 0.3, warmup: training.warmup };
        const values = curve((progress) => step.factor(p, progress, 1), training);
        expect(nowhereRising(values.slice(Math.ceil(training.warmupSteps)))).toBe(true);
      }),
    );
  });
});

describe("restarts", () => {
  const recorded = JSON.parse(
    readFileSync(new URL("../../reference/optimizers.json", import.meta.url), "utf8"),
  ).restarts;
  const at = (step: number) => ({ step, stepsPerEpoch: 4, totalSteps: 50 });

  test.each([1, 2])("are torch's, each cycle %s times as long as the one before", (growth) => {
    const p = { cycle: epochs(1.5), growth, warmup: steps(5), floor: 0.1, min_lr: null };
    const found = Array.from({ length: 40 }, (_, step) => restarts.factor(p, at(5 + step), 1));
    for (const [step, factor] of found.entries()) expect(factor).toBeCloseTo(recorded[growth][step], 12);
    expect(restarts.factor(p, at(2), 1)).toBe(0.4);
  });
});

test("a floor may be a rate, whatever the peak", () => {
  const p = { warmup: epochs(0), floor: 0, min_lr: 1e-6 };
  const end = { step: 800, stepsPerEpoch: 1, totalSteps: 800 };
  for (const peak of [2e-3, 5e-4]) expect(peak * cosine.factor(p, end, peak)).toBeCloseTo(1e-6, 15);
  // As `adjust_learning_rate` of official MAE: min_lr + (peak - min_lr) (1 + cos) / 2.
  expect(2e-3 * cosine.factor(p, { ...end, step: 400 }, 2e-3)).toBeCloseTo(1e-6 + (2e-3 - 1e-6) / 2, 15);
  expect(cosine.factor(p, end, 1e-9)).toBe(1);
});

describe("conditions", () => {
  const broken = (warmup: DurationValue, context: { epochs: number | null; steps: number | null }) =>
    (cosine.requires ?? []).filter((r) => !r.holds({ warmup, floor: 0, min_lr: null }, context));
  test("a warm-up ends before the training does", () => {
    const [finding] = broken(epochs(40), { epochs: 5, steps: null });
    const values = { warmup: epochs(40), floor: 0, min_lr: null };
    expect(finding?.say(values, { epochs: 5, steps: null })).toBe(
      "a warm-up of 40 epochs never ends in a training of 5 epochs",
    );
    expect(finding?.help?.(values, { epochs: 5, steps: null })).toContain("0.5 epochs");
    expect(broken(steps(100), { epochs: null, steps: 100 }).length).toBe(1);
  });
  test("what only the size of the data can tell is let pass", () => {
    expect(broken(steps(100), { epochs: 5, steps: null })).toEqual([]);
    expect(broken(epochs(4), { epochs: 5, steps: null })).toEqual([]);
  });
  test("stairs have a distance", () => {
    const p = { every: steps(0), factor: 0.1, warmup: epochs(0) };
    const context = { epochs: 5, steps: null };
    expect((step.requires ?? []).filter((r) => !r.holds(p, context)).map((r) => r.name)).toEqual(["every-above-zero"]);
  });
});
