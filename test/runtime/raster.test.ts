/** Geometry on raw pixels, against Pillow and against itself. */

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Filter, Geometry, Raster } from "../../runtime/data/image/raster.js";
import { applySteps } from "../../runtime/data/image/steps.js";
import { runs } from "../support/fuzz.js";

const applyStep = (source: Raster, step: Geometry): Raster => applySteps(source, [step]);

const raster = (height: number, width: number, channels: number, pixels: Raster["pixels"]): Raster => ({
  pixels,
  height,
  width,
  channels,
});

describe("resizing", async () => {
  const reference = JSON.parse(await readFile("test/reference/resize.json", "utf8")) as {
    height: number;
    width: number;
    pixels: number[];
    cases: { filter: Filter; height: number; width: number; pixels: number[] }[];
  };

  it.each(reference.cases)("$filter to $height x $width equals Pillow's up to rounding", ({ pixels, ...size }) => {
    const source = raster(reference.height, reference.width, 3, Uint8Array.from(reference.pixels));
    const found = applyStep(source, { kind: "resize", ...size });
    expect(found).toMatchObject({ height: size.height, width: size.width, channels: 3 });
    const differences = pixels.map((value, i) => Math.abs(value - (found.pixels[i] as number)));
    // Pillow's weights are of 22 bits.
    expect(Math.max(...differences)).toBeLessThanOrEqual(size.filter === "nearest" ? 0 : 1);
  });

  it("keeps a constant image constant, as floats too", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom<Filter>("bicubic", "bilinear", "nearest"),
        (height, width, filter) => {
          const bytes = applyStep(raster(9, 7, 2, new Uint8Array(126).fill(201)), {
            kind: "resize",
            height,
            width,
            filter,
          });
          expect(new Set(bytes.pixels)).toEqual(new Set([201]));
          const floats = applyStep(raster(9, 7, 2, new Float32Array(126).fill(0.25)), {
            kind: "resize",
            height,
            width,
            filter,
          });
          for (const value of floats.pixels) expect(value).toBeCloseTo(0.25, 6);
        },
      ),
      { numRuns: runs(50) },
    );
  });
});

describe("cutting and turning", () => {
  const source = raster(2, 3, 2, Uint8Array.from([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]));

  it("cuts whole pixels", () => {
    const cut = applyStep(source, { kind: "crop", top: 1, left: 1, height: 1, width: 2 });
    expect(cut).toEqual(raster(1, 2, 2, Uint8Array.from([12, 13, 14, 15])));
  });

  it("mirrors columns or rows, not channels", () => {
    const mirrored = applyStep(source, { kind: "flip", axis: "horizontal" });
    expect([...mirrored.pixels]).toEqual([4, 5, 2, 3, 0, 1, 14, 15, 12, 13, 10, 11]);
    const turned = applyStep(source, { kind: "flip", axis: "vertical" });
    expect([...turned.pixels]).toEqual([10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5]);
  });
});
