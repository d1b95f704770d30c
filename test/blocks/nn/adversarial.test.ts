/** What both sides pay for decisions: the numbers of the definition, and finite ones for decisions without a doubt. */

import { describe, expect, test } from "vitest";
import { deceptionLoss, discriminationError } from "../../../blocks/index.js";
import { createBuilder, evaluate, gradients, type Tensor } from "../../../graph/index.js";

/** Both losses of one sample and their slopes at its logits. */
function losses(originals: readonly number[], predictions: readonly number[]) {
  const g = createBuilder({ batch: 1 });
  const shown = g.input("originals", ["B", originals.length, 1]);
  const made = g.input("predictions", ["B", predictions.length, 1]);
  const sides = { own: discriminationError(g, shown, made), model: deceptionLoss(g, shown, made) };
  const slopes = (side: keyof typeof sides): Readonly<Record<string, Tensor>> =>
    Object.fromEntries(
      gradients(g, sides[side], [shown, made]).map((slope, i) => [`${side}${i ? "Made" : "Shown"}`, slope]),
    );
  const graph = g.finish({ outputs: { ...sides, ...slopes("own"), ...slopes("model") } });
  const feeds = { originals: Float32Array.from(originals), predictions: Float32Array.from(predictions) };
  const numbers = (values: ArrayLike<number> | undefined) => Array.from(values ?? []);
  return Object.fromEntries(Object.entries(evaluate(graph, feeds).outputs).map(([k, v]) => [k, numbers(v)]));
}

const probability = (logit: number): number => 1 / (1 + Math.exp(-logit));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("what is paid for decisions", () => {
  test("is the cross-entropy of all of them, and the mean of each kind", () => {
    const [originals, predictions] = [[1.5], [-0.5, 2, 0.25]];
    const right = originals.map((logit) => Math.log(probability(logit)));
    const found = predictions.map((logit) => Math.log(1 - probability(logit)));
    const { own, model } = losses(originals, predictions);
    expect(own?.[0]).toBeCloseTo(-mean([...right, ...found]), 12);
    expect(model?.[0]).toBeCloseTo(mean(right) + mean(found), 12);
  });

  test("pulls the two sides apart, every decision against the other", () => {
    const { ownShown, ownMade, modelShown, modelMade } = losses([0.3, -2], [1, -1]);
    expect(ownShown?.every((slope) => slope < 0) && ownMade?.every((slope) => slope > 0)).toBe(true);
    expect(modelShown?.every((slope) => slope > 0) && modelMade?.every((slope) => slope < 0)).toBe(true);
  });

  test("is exact where a sigmoid would be one or zero", () => {
    const sure = losses([400], [-400]);
    expect(sure.own?.[0]).toBeLessThan(1e-170);
    expect(sure.model?.[0]).toBeGreaterThan(-1e-170);
    const wrong = losses([-400], [400]);
    expect([wrong.own, wrong.model]).toEqual([[400], [-800]]);
    expect([wrong.ownShown, wrong.ownMade]).toEqual([[-0.5], [0.5]]);
    expect(Object.values(wrong).flat().every(Number.isFinite)).toBe(true);
  });
});
