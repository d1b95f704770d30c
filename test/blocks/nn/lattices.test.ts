/** Lattices of any rank: cutting, putting together, places and tables, against their definitions. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fixed,
  initialize,
  type Lattice,
  patchify,
  patchPlaces,
  tokenCount,
  unpatchify,
} from "../../../blocks/index.js";
import { createBuilder, evaluate, randomStream, type Tensor } from "../../../graph/index.js";
import { runs } from "../../support/fuzz.js";

const axes = ["depth", "row", "column"] as const;
const lattices = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 3 })
  .map((sides): Lattice => sides.map(([count, size], i) => ({ name: axes[i] as (typeof axes)[number], count, size })));

test("patches hold the values of their places, and make the array again", () => {
  fc.assert(
    fc.property(lattices, fc.integer({ min: 1, max: 2 }), (grid, channels) => {
      const sides = grid.map(({ count, size }) => count * size);
      const g = createBuilder({ batch: 2 });
      const array = g.input("array", ["B", ...sides, channels]);
      const patches = patchify<"B", Lattice, number>(g, array as Tensor<["B", ...number[], number]>, grid);
      const again = unpatchify<"B", Lattice, number>(g, patches, grid, { channels });
      const length = sides.reduce((a, b) => a * b, channels);
      const values = Float32Array.from({ length: 2 * length }, (_, i) => i);
      const { outputs } = evaluate(g.finish({ outputs: { patches, again } }), { array: values }, {});
      const expected = [0, 1].flatMap((sample) =>
        Array.from({ length: tokenCount(grid) }, (_, token) =>
          Array.from(patchPlaces(grid, token, channels), (place) => sample * length + place),
        ).flat(),
      );
      expect(Array.from(outputs.patches as Float32Array)).toEqual(expected);
      expect(Array.from(outputs.again as Float32Array)).toEqual(Array.from(values));
    }),
    { numRuns: runs(50) },
  );
});

test("places of a tubelet lie in both of its frames", () => {
  const video: Lattice = [
    { name: "time", count: 2, size: 2 },
    { name: "row", count: 2, size: 1 },
    { name: "column", count: 3, size: 2 },
  ];
  // 2 rows of 6 columns: 12 places a frame. Token 10: the second slot, the second row, the second pair of columns.
  expect(Array.from(patchPlaces(video, 10))).toEqual([2 * 12 + 6 + 2, 2 * 12 + 6 + 3, 3 * 12 + 6 + 2, 3 * 12 + 6 + 3]);
});

describe("sine-cosine tables", () => {
  const rows = (counts: readonly number[], width: number, order?: "flat"): number[][] => {
    const places = counts.reduce((a, b) => a * b, 1);
    const init = { kind: "sin_cos", counts, extra: 1, ...(order ? { order } : {}) } as const;
    const values = initialize(fixed([1, 1 + places, width], init), randomStream(0, "init"));
    return Array.from({ length: 1 + places }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
  };
  const wave = (place: number, k: number, each: number): number => place / 10000 ** (k / each);

  test("of three axes have a third for each, the last first", () => {
    const [extra, ...table] = rows([2, 3, 4], 12);
    expect(extra).toEqual(new Array(12).fill(0));
    const place = { depth: 1, row: 2, column: 3 };
    const half = (at: number) =>
      [0, 1].map((k) => Math.sin(wave(at, k, 2))).concat([0, 1].map((k) => Math.cos(wave(at, k, 2))));
    const expected = [place.column, place.row, place.depth].flatMap(half);
    table[(1 * 3 + 2) * 4 + 3]?.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 6);
    });
  });

  test("of the place in the sequence have sines and cosines by turns, as VideoMAE's", () => {
    const [, ...table] = rows([2, 3], 8, "flat");
    // As in its code: angle = position / 10000^(2 (j // 2) / D), sine of the even features, cosine of the odd ones.
    table.forEach((row, position) => {
      row.forEach((value, j) => {
        const angle = position / 10000 ** ((2 * Math.floor(j / 2)) / 8);
        expect(value).toBeCloseTo(j % 2 === 0 ? Math.sin(angle) : Math.cos(angle), 6);
      });
    });
  });
});
