/** The random resized crop: its laws, torchvision's moments, and what stands for it in evaluation. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { augmentContext, type ImageStep, randomResizedCrop, resize } from "../../../blocks/augment/index.js";
import { arrayOfImage } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";

type Size = readonly [height: number, width: number];

interface Fixture {
  readonly draws: number;
  readonly scale: Size;
  readonly ratio: Size;
  readonly crops: readonly {
    readonly size: Size;
    readonly moments: Readonly<Record<string, { readonly mean: number; readonly std: number }>>;
  }[];
  readonly shorter_side: readonly { readonly size: Size; readonly shorter: number; readonly resized: Size }[];
}

const fixture = JSON.parse(readFileSync(new URL("../../reference/crops.json", import.meta.url), "utf8")) as Fixture;

const values = { scale: [0.2, 1], ratio: [0.75, 1.3333], overhang: "redraw", size: null, filter: "bicubic" } as const;
const input = (height: number, width: number) => augmentContext(arrayOfImage({ height, width, channels: 3 }));
const context = input(224, 192);

function crop(p: typeof values, [height, width]: Size, sample: number): Extract<ImageStep, { kind: "crop" }> {
  const [first, second, ...more] = randomResizedCrop.plan(
    p,
    { height, width },
    context,
    randomStream(0, "augment", sample),
  );
  expect(second).toEqual({ kind: "resize", height: 224, width: 192, filter: "bicubic" });
  expect(more).toEqual([]);
  if (first?.kind !== "crop") throw new Error("the first step is not a crop");
  return first;
}

test("cuts inside the image, of an area and aspect as allowed", () => {
  const side = fc.integer({ min: 1, max: 900 });
  fc.assert(
    fc.property(side, side, fc.nat(1000), (height, width, sample) => {
      const part = crop(values, [height, width], sample);
      expect(Math.min(part.top, part.left)).toBeGreaterThanOrEqual(0);
      expect(Math.min(part.height, part.width)).toBeGreaterThanOrEqual(1);
      expect(part.top + part.height).toBeLessThanOrEqual(height);
      expect(part.left + part.width).toBeLessThanOrEqual(width);
      // Sides are rounded to whole pixels, so the aspect lies between those of half a pixel more and less.
      expect((part.width - 0.5) / (part.height + 0.5)).toBeLessThanOrEqual(values.ratio[1]);
      expect((part.width + 0.5) / (part.height - 0.5)).toBeGreaterThanOrEqual(values.ratio[0]);
    }),
  );
});

test("that overhangs is cut to the image, or drawn again", () => {
  const clip = { ...values, scale: [1, 1], ratio: [1, 1], overhang: "clip" } as never;
  expect(crop(clip, [90, 40], 0)).toMatchObject({ top: expect.any(Number), left: 0, height: 60, width: 40 });
  expect(crop({ ...values, scale: [1, 1], ratio: [1, 1] } as never, [90, 40], 0)).toMatchObject({
    top: 25,
    height: 40,
    width: 40,
  });
});

test.each(fixture.crops)("draws from torchvision's distribution on images of $size", ({ size, moments }) => {
  const draws = 4000;
  const parts = Array.from({ length: draws }, (_, sample) => {
    const { top, left, height, width } = crop(values, size, sample);
    return { top, left, height, width, area: (height * width) / (size[0] * size[1]) };
  });
  for (const [name, { mean, std }] of Object.entries(moments)) {
    const ours = parts.map((part) => part[name as keyof (typeof parts)[0]]);
    const ourMean = ours.reduce((sum, value) => sum + value, 0) / draws;
    const ourStd = Math.sqrt(ours.reduce((sum, value) => sum + (value - ourMean) ** 2, 0) / draws);
    const error = std * Math.sqrt(1 / draws + 1 / fixture.draws);
    expect(Math.abs(ourMean - mean), `mean ${name}`).toBeLessThanOrEqual(5 * error + 1e-12);
    expect(Math.abs(ourStd - std), `deviation of ${name}`).toBeLessThanOrEqual(0.08 * std + 1e-12);
  }
});

describe("in evaluation", () => {
  const plan = (current: Size, image: ReturnType<typeof input>) =>
    randomResizedCrop.evaluationPlan?.(values, { height: current[0], width: current[1] }, image);
  test("an input of 224x224 is the middle of an image of 256 pixels", () => {
    expect(plan([500, 375], input(224, 224))).toEqual([
      { kind: "resize", height: 341, width: 256, filter: "bicubic" },
      { kind: "crop", top: 58, left: 16, height: 224, width: 224 },
    ]);
  });
  test("a larger input is not cropped beyond its proportions", () => {
    expect(plan([500, 1000], input(448, 448))).toEqual([
      { kind: "resize", height: 448, width: 896, filter: "bicubic" },
      { kind: "crop", top: 0, left: 224, height: 448, width: 448 },
    ]);
  });
  test("any image covers any input", () => {
    const side = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(side, side, side, side, (height, width, inputHeight, inputWidth) => {
        const [large, part] = plan([height, width], input(inputHeight, inputWidth)) ?? [];
        if (large?.kind !== "resize" || part?.kind !== "crop") throw new Error("not a resize and a crop");
        expect([part.height, part.width]).toEqual([inputHeight, inputWidth]);
        expect(Math.min(part.top, part.left)).toBeGreaterThanOrEqual(0);
        expect(part.top + part.height).toBeLessThanOrEqual(large.height);
        expect(part.left + part.width).toBeLessThanOrEqual(large.width);
      }),
    );
  });
});

test.each(fixture.shorter_side)("resize(shorter: $shorter) gives torchvision's $resized for $size", (row) => {
  const [height, width] = row.size;
  const p = { size: null, shorter: row.shorter, filter: "bicubic" } as const;
  const steps = resize.plan(p, { height, width }, context, randomStream(0, "augment", 0));
  expect(steps).toEqual([{ kind: "resize", height: row.resized[0], width: row.resized[1], filter: "bicubic" }]);
});
