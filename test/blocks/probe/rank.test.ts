/** The effective rank against numpy's singular values, and eigenvalues against what is known of them. */

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { eigenvalues } from "../../../blocks/probe/eigenvalues.js";
import { type Features, rank } from "../../../blocks/probe/index.js";
import { effectiveRank } from "../../../blocks/probe/rank.js";
import { plainRandom, reference, test as tested, train } from "./fixture.js";

const rankOf = async (features: Features, samples = 25_600): Promise<number> =>
  (await rank.run({ samples }, features, features, plainRandom(0))).scores.effective_rank as number;

describe("the effective rank", () => {
  it("is numpy's, for both sets", async () => {
    expect(await rankOf(train)).toBeCloseTo(reference.header.rank.train, 8);
    expect(await rankOf(tested)).toBeCloseTo(reference.header.rank.test, 8);
  });

  it("is the same from products of samples as from products of features", async () => {
    const few: Features = { ...train, count: train.width - 2 };
    const wide = { ...few, values: few.values.slice(0, few.count * few.width) };
    const padded = new Float32Array(few.count * few.width * 2);
    for (let row = 0; row < few.count; row++) {
      padded.set(wide.values.subarray(row * few.width, (row + 1) * few.width), row * few.width * 2);
    }
    expect(await rankOf({ ...wide, values: padded, width: few.width * 2 })).toBeCloseTo(await rankOf(wide), 6);
  });

  it("is 1 where all samples lie on a line, and the width where they spread evenly", async () => {
    const line = Float32Array.from({ length: 12 }, (_, at) => (Math.floor(at / 3) + 1) * ((at % 3) - 3));
    const base = { ...train, count: 4, width: 3, labels: new Int32Array(4) };
    expect(await rankOf({ ...base, values: line })).toBeCloseTo(1, 6);
    const even = Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    expect(await rankOf({ ...base, values: even })).toBeCloseTo(3, 10);
    expect(await rankOf({ ...base, values: new Float32Array(12) })).toBe(0);
  });

  it("looks at no more samples than it is told", async () => {
    const { protocol } = await rank.run({ samples: 5 }, train, train, plainRandom(0));
    expect(protocol).toContain("5 training samples' features");
    expect(await rankOf(train, 5)).toBeLessThanOrEqual(5);
  });
});

test("eigenvalues keep the sums of their matrix, whatever it is", () => {
  const matrices = fc.integer({ min: 1, max: 12 }).chain((n) =>
    fc.record({
      n: fc.constant(n),
      values: fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n * n, maxLength: n * n }),
    }),
  );
  fc.assert(
    fc.property(matrices, ({ n, values }) => {
      const symmetric = Float64Array.from(
        values,
        (value, at) => value + (values[(at % n) * n + Math.floor(at / n)] as number),
      );
      const trace = Array.from({ length: n }, (_, i) => symmetric[i * n + i] as number).reduce((a, b) => a + b, 0);
      const squares = symmetric.reduce((a, b) => a + b * b, 0);
      const found = eigenvalues(symmetric.slice(), n);
      expect(found.reduce((a, b) => a + b, 0)).toBeCloseTo(trace, 8);
      expect(found.reduce((a, b) => a + b * b, 0)).toBeCloseTo(squares, 6);
      expect([...found]).toEqual([...found].sort((a, b) => a - b));
    }),
  );
});

test("the eigenvalues of a path's Laplacian are the known cosines", () => {
  const n = 40;
  const path = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    path[i * n + i] = 2;
    if (i > 0) path[i * n + i - 1] = -1;
    if (i < n - 1) path[i * n + i + 1] = -1;
  }
  const known = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
  for (const [k, value] of eigenvalues(path, n).entries()) expect(value).toBeCloseTo(known[k] as number, 12);
});

test("equal values have no entropy to lose", () => {
  expect(effectiveRank(new Float64Array(7).fill(3))).toBeCloseTo(7, 12);
});
