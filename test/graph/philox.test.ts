/** The published answers of Philox, and what may be asked of streams: repeatable, apart, evenly spread. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError, type Purpose, randomStream } from "../../graph/index.js";
import { philox } from "../../graph/philox.js";

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

describe("Philox4x32-10 gives the published answers (Random123, kat_vectors)", () => {
  const ones = 0xffffffff;
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[ones, ones, ones, ones], [ones, ones], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("%j under %j", (counter, key, answer) => {
    expect(hex(philox(counter, key))).toBe(answer);
  });
});

describe("streams", () => {
  const purposes: readonly Purpose[] = ["init", "mask", "augment", "shuffle", "dropout", "probe", "field"];

  test("the same arguments give the same numbers", () => {
    const one = draw(10, randomStream(7, "mask", 3, 5).uniform);
    expect(draw(10, randomStream(7, "mask", 3, 5).uniform)).toEqual(one);
  });

  test("different arguments give different numbers", () => {
    const streams = [
      ...purposes.map((purpose) => randomStream(0, purpose, 1, 2)),
      ...[1, 2 ** 32, 2 ** 33, 2 ** 53 - 1].map((seed) => randomStream(seed, "init", 1, 2)),
      randomStream(0, "init"),
      randomStream(0, "init", 0),
      randomStream(0, "init", 0, 0),
      randomStream(0, "init", 0, 0, 0),
      randomStream(0, "init", 2, 1),
      randomStream(0, "init", 1, 2, 1),
    ];
    const drawn = streams.map((random) => draw(4, random.uniform).join());
    expect(new Set(drawn).size).toBe(streams.length);
  });

  test("seeds and counters out of range are refused", () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => randomStream(seed, "init")).toThrow(InvariantError);
    for (const counter of [-1, 0.5, 2 ** 32]) expect(() => randomStream(0, "init", counter)).toThrow(InvariantError);
    expect(() => randomStream(0, "init", 1, 2, 3, 4)).toThrow(InvariantError);
    for (const below of [0, -3, 1.5, 2 ** 32 + 1]) {
      expect(() => randomStream(0, "init").integer(below)).toThrow(InvariantError);
    }
  });
});

describe("distributions", () => {
  const count = 100_000;
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

  test("uniform: multiples of 2^-24 in [0, 1), flat", () => {
    const values = draw(count, randomStream(1, "init").uniform);
    expect(values.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 24) && Math.fround(x) === x)).toBe(true);
    const bins = new Array<number>(20).fill(0);
    for (const x of values) bins[Math.floor(x * 20)] = (bins[Math.floor(x * 20)] ?? 0) + 1;
    const chiSquare = bins.reduce((sum, n) => sum + (n - count / 20) ** 2 / (count / 20), 0);
    expect(chiSquare).toBeLessThan(43.8); // 19 degrees of freedom, p = 0.001
  });

  test("normal: first four moments, and no correlation between neighbours", () => {
    const values = draw(count, randomStream(2, "init").normal);
    expect(mean(values)).toBeCloseTo(0, 1.7);
    expect(mean(values.map((x) => x ** 2))).toBeCloseTo(1, 1.5);
    expect(mean(values.map((x) => x ** 3))).toBeCloseTo(0, 1);
    expect(mean(values.map((x) => x ** 4))).toBeCloseTo(3, 0.7);
    expect(mean(values.slice(1).map((x, i) => x * (values[i] as number)))).toBeCloseTo(0, 1.7);
  });

  test("integer: inside the bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (below, seed) => {
        const drawn = draw(8, () => randomStream(seed, "shuffle").integer(below));
        return drawn.every((n) => Number.isInteger(n) && n >= 0 && n < below);
      }),
    );
  });

  test("integer: unbiased where 2^32 is not a multiple of the bound", () => {
    const below = 3 * 2 ** 30; // without rejection the first third would come up half of the time
    const random = randomStream(3, "shuffle");
    const low = draw(count, () => random.integer(below)).filter((n) => n < below / 3).length;
    expect(low / count).toBeCloseTo(1 / 3, 2);
  });
});
