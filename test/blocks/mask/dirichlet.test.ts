/** The mask over several inputs: shares as the distribution has them, a fixed number of visible tokens, and each token once. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dirichletOrder, dirichletShares } from "../../../blocks/mask/dirichlet.js";
import { randomStream } from "../../../graph/index.js";
import { runs } from "../../support/fuzz.js";

const drawn = 2000;
const streamOf = (sample: number) => randomStream(7, "mask", sample);

describe.each([
  [0.1, 3],
  [1, 3],
  [1, 2],
  [5, 4],
])("shares with alpha %d of %d inputs", (alpha, count) => {
  const all = Array.from({ length: drawn }, (_, i) => dirichletShares(count, alpha, streamOf(i)));

  test("sum to 1, each with the mean and variance of the distribution", () => {
    for (const shares of all) expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    const variance = ((1 / count) * (1 - 1 / count)) / (count * alpha + 1);
    for (let input = 0; input < count; input++) {
      const own = all.map((shares) => shares[input] as number);
      const mean = own.reduce((sum, share) => sum + share, 0) / drawn;
      const spread = own.reduce((sum, share) => sum + (share - mean) ** 2, 0) / drawn;
      expect(Math.abs(mean - 1 / count)).toBeLessThan(4 * Math.sqrt(variance / drawn));
      expect(Math.abs(spread / variance - 1)).toBeLessThan(0.15);
    }
  });
});

test("with alpha 1 and two inputs a share is uniform", () => {
  const first = Float64Array.from({ length: drawn }, (_, i) => dirichletShares(2, 1, streamOf(i))[0] as number).sort();
  const farthest = Math.max(...first.map((share, i) => Math.abs(share - (i + 0.5) / drawn)));
  // Kolmogorov and Smirnov, at one in ten thousand.
  expect(farthest).toBeLessThan(2.2 / Math.sqrt(drawn));
});

test("shares of a tiny alpha are numbers: nearly all goes to one input", () => {
  for (let i = 0; i < 100; i++) expect(Math.max(...dirichletShares(3, 1e-4, streamOf(i)))).toBeGreaterThan(0.99);
});

describe("the order", () => {
  test("has each token once, whatever inputs, number and alpha", () => {
    const inputs = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(inputs, fc.double({ min: 0.01, max: 20, noNaN: true }), fc.nat(500), (tokens, alpha, sample) => {
        const total = tokens.reduce((sum, count) => sum + count, 0);
        const visible = 1 + (sample % total);
        const order = dirichletOrder(tokens, { visible, alpha }, streamOf(sample));
        expect(Int32Array.from(order).sort()).toEqual(Int32Array.from({ length: total }, (_, i) => i));
        expect(dirichletOrder(tokens, { visible, alpha }, streamOf(sample))).toEqual(order);
      }),
      { numRuns: runs(100) },
    );
  });

  test("shows of each input as many as its share says, up to rounding", () => {
    for (let sample = 0; sample < 200; sample++) {
      const shares = dirichletShares(3, 1, streamOf(sample));
      const order = dirichletOrder([196, 196, 196], { visible: 98, alpha: 1 }, streamOf(sample));
      for (const [input, share] of shares.entries()) {
        const seen = order.subarray(0, 98).filter((token) => Math.floor(token / 196) === input).length;
        expect(Math.abs(seen - share * 98)).toBeLessThanOrEqual(1.5);
      }
    }
  });

  test("shows every place of an input equally often", () => {
    const seen = new Float64Array(12);
    for (let sample = 0; sample < drawn; sample++) {
      for (const token of dirichletOrder([4, 4, 4], { visible: 3, alpha: 1 }, streamOf(sample)).subarray(0, 3)) {
        seen[token] = (seen[token] as number) + 1;
      }
    }
    for (const count of seen) expect(Math.abs(count / drawn - 0.25)).toBeLessThan(0.045);
  });

  test("takes from other inputs what an input does not have", () => {
    for (let sample = 0; sample < 50; sample++) {
      const order = dirichletOrder([2, 50], { visible: 30, alpha: 1 }, streamOf(sample));
      expect(order.subarray(0, 30).filter((token) => token >= 2).length).toBeGreaterThanOrEqual(28);
    }
  });
});
