/** Random masking: every patch, and every pair of patches, is visible as often as any other. */

import { expect, test } from "vitest";
import { random } from "../../../blocks/mask/index.js";
import { draw, gridOf, plain, timesVisible } from "./drawn.js";

const samples = 20_000;

/** The sum of squared deviations from `expected` in units of it. */
const chiSquare = (counts: readonly number[], expected: number): number =>
  counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);

test("every patch is visible equally often", () => {
  const tokens = 49;
  const visible = 12;
  const expected = (samples * visible) / tokens;
  // Drawn without replacement, so the statistic is (N - V) / (N - 1) times a chi-square of N - 1 = 48 degrees.
  const statistic = (chiSquare(timesVisible(random, { ratio: 0.75 }, gridOf(7, 7), samples), expected) * 48) / 37;
  expect(statistic).toBeLessThan(48 + 5 * Math.sqrt(2 * 48));
  expect(statistic).toBeGreaterThan(48 - 5 * Math.sqrt(2 * 48));
});

test("every pair of patches is visible equally often", () => {
  const grid = gridOf(2, 3);
  const pairs = new Map<string, number>();
  for (let sample = 0; sample < samples; sample++) {
    const pair = draw(random, { ratio: 0.65 }, grid, sample).visible.join();
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  expect(pairs.size).toBe(15);
  expect(chiSquare([...pairs.values()], samples / 15)).toBeLessThan(14 + 5 * Math.sqrt(2 * 14));
});

test("counts visible patches as official MAE does, truncated in floating point", () => {
  expect(random.visible({ ...plain, ratio: 0.75 }, gridOf(14, 14))).toBe(49);
  expect(random.visible({ ...plain, ratio: 0.75 }, gridOf(7, 7))).toBe(12);
  expect(random.visible({ ...plain, ratio: 0.9 }, gridOf(10, 10))).toBe(9);
});
