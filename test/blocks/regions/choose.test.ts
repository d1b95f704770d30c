/** Regions drawn from label maps: any image, any labels. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { regionMaps } from "../../../blocks/regions/index.js";
import { randomStream } from "../../../graph/index.js";
import { gridOf } from "../mask/drawn.js";

const grid = gridOf(2, 3, [2, 3]);
const pixels = 4 * 9;

const labelMap = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: pixels, maxLength: pixels })
  .map((labels) => Int32Array.from(labels));

/** The map of one region, as a text that can be compared. */
const region = (maps: Float32Array, count: number, place: number): string =>
  Array.from({ length: pixels }, (_, i) => maps[i * count + place]).join("");

const mapsOf = (labels: Int32Array): readonly string[] =>
  [...new Set(labels)].map((label) => Array.from(labels, (other) => (other === label ? 1 : 0)).join(""));

const patchesOf = (map: string): number =>
  new Set([...map].flatMap((digit, i) => (digit === "1" ? [3 * Math.floor(i / 18) + Math.floor((i % 9) / 3)] : [])))
    .size;

const draw = (maps: readonly Int32Array[], count: number, touching: number, seed: number): readonly string[] => {
  const drawn = regionMaps(maps, grid, { count, touching, ignored: null }, randomStream(seed, "field", 0));
  return Array.from({ length: count }, (_, place) => region(drawn, count, place));
};

describe("drawn regions", () => {
  test("are those of the maps that touch enough patches, each as often as it takes", () => {
    const maps = fc.array(labelMap, { maxLength: 3 });
    const [count, touching] = [fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 })];
    fc.assert(
      fc.property(maps, count, touching, fc.nat(), (maps, count, touching, seed) => {
        const all = maps.flatMap(mapsOf).filter((map) => patchesOf(map) >= touching);
        const drawn = draw(maps, count, touching, seed);
        if (all.length === 0) {
          expect(drawn).toEqual(Array.from({ length: count }, () => "0".repeat(pixels)));
          return;
        }
        const most = Math.ceil(count / all.length);
        for (const map of new Set(drawn)) {
          const available = all.filter((other) => other === map).length;
          expect(available).toBeGreaterThan(0);
          expect(drawn.filter((other) => other === map).length).toBeLessThanOrEqual(available * most);
        }
      }),
    );
  });

  test("are the same for the same stream and others for others", () => {
    const maps = [Int32Array.from({ length: pixels }, (_, i) => i)];
    expect(draw(maps, 4, 1, 1)).toEqual(draw(maps, 4, 1, 1));
    expect(draw(maps, 4, 1, 1)).not.toEqual(draw(maps, 4, 1, 2));
  });

  test("are drawn uniformly", () => {
    const maps = [Int32Array.from({ length: pixels }, (_, i) => i % 4)];
    const known = mapsOf(maps[0] as Int32Array);
    const counts = new Map(known.map((map) => [map, 0]));
    for (let seed = 0; seed < 600; seed++) {
      for (const map of draw(maps, 2, 1, seed)) counts.set(map, (counts.get(map) ?? 0) + 1);
    }
    // 300 expected of each; the deviation of a count is 12.
    for (const count of counts.values()) expect(Math.abs(count - 300)).toBeLessThan(60);
  });

  test("of several maps overlap", () => {
    const maps = [new Int32Array(pixels), Int32Array.from({ length: pixels }, (_, i) => i % 2)];
    const drawn = draw(maps, 3, 1, 0);
    expect(new Set(drawn).size).toBe(3);
    expect(drawn).toContain("1".repeat(pixels));
  });
});
