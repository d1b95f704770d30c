/** Masks that follow the regions of an image. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arrayOfImage, bindField, bindMask, regionSources } from "../../../blocks/index.js";
import { regions } from "../../../blocks/mask/index.js";
import { patchLabels } from "../../../blocks/regions/index.js";
import { randomStream, type TypedArray } from "../../../graph/index.js";
import { gridOf } from "./drawn.js";

const grid = gridOf(4, 4, [2, 2]);
const array = arrayOfImage({ height: 8, width: 8, channels: 1 });
const source = { block: regionSources.felzenszwalb, values: { scale: [1], sigma: 0, min_size: 1 } };
const mask = (ratio: number) => bindMask(regions, { source, ratio, round: null }, grid);
const field = bindField("mask", regions, { source, ratio: 0.5 }, { array, grid });

/** Four squares of four patches each, told apart by their grey. */
const squares = Float32Array.from({ length: 64 }, (_, i) => (2 * Math.floor(i / 32) + Math.floor((i % 8) / 4)) / 4);
const labels = field.compute({ array: squares, label: null, random: randomStream(0, "field") });

const hiddenOf = (ratio: number, seed: number, own?: TypedArray): readonly number[] => {
  const { visible, sample } = mask(ratio);
  return Array.from(sample(randomStream(seed, "mask"), own).subarray(visible));
};

describe("a mask of regions", () => {
  test("knows the region of each patch", () => {
    expect(Array.from(labels)).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
    const mixed = Int32Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 5 : i % 4 === 1 ? 3 : 5));
    expect(patchLabels(mixed, grid)[0]).toBe(3);
    expect(patchLabels(mixed, grid)[1]).toBe(5);
  });

  test("hides whole regions, and of one at most a part", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 15 }), fc.nat(), (count, seed) => {
        const hidden = hiddenOf(count / 16, seed, labels);
        expect(hidden.length).toBe(count);
        const perRegion = [0, 1, 2, 3].map((region) => hidden.filter((token) => labels[token] === region).length);
        expect(perRegion.filter((n) => n > 0 && n < 4).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("hides every region equally often", () => {
    const counts = [0, 0, 0, 0];
    for (let seed = 0; seed < 400; seed++) {
      const region = labels[hiddenOf(0.25, seed, labels)[0] as number] as number;
      counts[region] = (counts[region] as number) + 1;
    }
    // 100 expected; the deviation is 8.7.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(45);
  });

  test("is a uniformly random one without an image", () => {
    const together = Array.from(
      { length: 200 },
      (_, seed) => new Set(hiddenOf(0.25, seed).map((token) => labels[token])),
    );
    expect(together.filter((touched) => touched.size > 1).length).toBeGreaterThan(150);
  });
});
