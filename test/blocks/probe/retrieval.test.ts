/** Recall at k of pairs, as NumPy has it. */

import { expect, test } from "vitest";
import { type Features, retrieval } from "../../../blocks/probe/index.js";
import recorded from "../../reference/retrieval.json" with { type: "json" };
import { valuesOf } from "../../support/data.js";

const { count, width, first, second, there, back } = recorded;

const featuresOf = (values: readonly number[]): Features => ({
  ...{ values: Float32Array.from(values), labels: new Int32Array(count).fill(-1), count, width, classes: 0 },
});

const judged = (a: readonly number[], b: readonly number[]) =>
  retrieval.judgePairs(valuesOf(retrieval, {}), {
    ...{ names: ["joint.a", "joint.b"], first: featuresOf(a), second: featuresOf(b) },
  });

test("recall at 1, 5 and 10 both ways", async () => {
  const { scores, details } = await judged(first, second);
  expect(details).toEqual({ "joint.a to joint.b": there, "joint.b to joint.a": back });
  for (const [name, score] of Object.entries(scores)) {
    const [one, other] = [there, back].map((ways) => ways[name as keyof typeof ways]) as [number, number];
    expect(score).toBeCloseTo((one + other) / 2, 12);
  }
});

test("vectors that are all alike find what stands first, and no more", async () => {
  const { scores } = await judged(new Array<number>(count * width).fill(1), new Array<number>(count * width).fill(0));
  expect(scores).toEqual({ recall_1: 1 / count, recall_5: 5 / count, recall_10: 10 / count });
});
