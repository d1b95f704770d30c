/** Changes of colours, geometry and sharpness against timm, Pillow and torchvision (test/reference/augmentations.py): equal to one of 255 levels. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  colorJitter,
  gaussianBlur,
  grayscale,
  randAugment,
  randomErasing,
  solarize,
} from "../../blocks/augment/index.js";
import { changes } from "../../blocks/augment/rand-augment.js";
import { arrayOfImage, augmentContext, type ImageStep } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import type { Raster } from "../../runtime/data/image/raster.js";
import { applySteps, type PixelStep } from "../../runtime/data/image/steps.js";
import { RunError } from "../../runtime/index.js";

interface Fixture {
  readonly height: number;
  readonly width: number;
  readonly pictures: Readonly<Record<string, string>>;
  readonly changes: readonly {
    readonly change: string;
    readonly of: string;
    readonly magnitude: number;
    readonly sign: number;
    readonly filter: "bicubic" | "bilinear";
    readonly pixels: string;
  }[];
  readonly jitter: readonly {
    readonly kind: "black" | "mean" | "grey" | "hue";
    readonly of: string;
    readonly factor: number;
    readonly pixels: string;
  }[];
  readonly blur: readonly {
    readonly of: string;
    readonly sigma: number;
    readonly kernel: number;
    readonly pixels: string;
  }[];
  readonly solarize: readonly { readonly of: string; readonly threshold: number; readonly pixels: string }[];
}

const fixture = JSON.parse(
  readFileSync(new URL("../reference/augmentations.json", import.meta.url), "utf8"),
) as Fixture;

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

const picture = (name: string): Raster => ({
  pixels: bytesOf(fixture.pictures[name] as string),
  height: fixture.height,
  width: fixture.width,
  channels: name === "grey" ? 1 : 3,
});

/** The largest difference, and the share of numbers that differ at all. */
function compared(source: Raster, step: ImageStep, expected: string): readonly [largest: number, share: number] {
  const { pixels } = applySteps(source, [step as PixelStep]);
  const wanted = bytesOf(expected);
  expect(pixels.length).toBe(wanted.length);
  const differences = Array.from(wanted, (value, i) => Math.abs(value - (pixels[i] as number)));
  return [Math.max(...differences), differences.filter((one) => one > 0).length / differences.length];
}

describe("the changes of rand_augment", () => {
  it.each(Object.keys(changes))("%s is timm's", (name) => {
    const own = fixture.changes.filter(({ change }) => change === name);
    expect(own.length).toBeGreaterThan(2);
    for (const { of, magnitude, sign, filter, pixels } of own) {
      const source = picture(of);
      const fill = of === "grey" ? [114 / 255] : [124 / 255, 116 / 255, 104 / 255];
      const drawing = { level: magnitude / 10, size: source, fill, filter, signed: (value: number) => sign * value };
      const step = changes[name]?.(drawing) as ImageStep;
      const [largest, share] = compared(source, step, pixels);
      expect(largest, JSON.stringify({ of, magnitude, sign, filter })).toBeLessThanOrEqual(1);
      expect(share).toBeLessThan(0.02);
    }
  });

  it("are drawn: each as often, half of them made, their magnitudes as written", () => {
    const context = augmentContext(arrayOfImage({ height: 20, width: 10, channels: 1 }));
    const values = {
      magnitude: 5,
      deviation: 0.5,
      changes: 2,
      probability: 0.5,
      fill: null,
      filter: "bicubic",
    } as const;
    const counts = new Map<string, number>();
    let moved = 0;
    for (let sample = 0; sample < 6000; sample++) {
      for (const step of randAugment.plan(
        values,
        { height: 20, width: 10 },
        context,
        randomStream(1, "augment", sample),
      )) {
        counts.set(step.kind, (counts.get(step.kind) ?? 0) + 1);
        if (step.kind === "affine" && step.matrix[1] !== 0 && step.matrix[3] === 0) moved += Math.abs(step.matrix[1]);
      }
    }
    const expected = { affine: 5, blend: 4, levels: 4, stretch: 2 };
    for (const [kind, of] of Object.entries(expected)) {
      expect(Math.abs((counts.get(kind) ?? 0) / (6000 * 2 * 0.5 * (of / 15)) - 1), kind).toBeLessThan(0.1);
    }
    expect(moved / (6000 / 15) / (0.5 * 0.3)).toBeCloseTo(1, 1);
  });
});

describe("color_jitter", () => {
  it("is torchvision's", () => {
    for (const { kind, of, factor, pixels } of fixture.jitter) {
      const step: ImageStep = kind === "hue" ? { kind, turn: factor } : { kind: "blend", towards: kind, factor };
      expect(compared(picture(of), step, pixels)[0], `${kind} ${factor} ${of}`).toBeLessThanOrEqual(1);
    }
  });

  it("draws its factors evenly around 1, in any order", () => {
    const context = augmentContext(arrayOfImage({ height: 4, width: 4, channels: 3 }));
    const values = { brightness: 0.4, contrast: 0, saturation: 2, hue: 0.1, probability: 1 };
    const plans = Array.from({ length: 500 }, (_, i) =>
      colorJitter.plan(values, { height: 4, width: 4 }, context, randomStream(2, "augment", i)),
    );
    const factors = (towards: string): number[] =>
      plans.flatMap((steps) => steps.flatMap((s) => (s.kind === "blend" && s.towards === towards ? [s.factor] : [])));
    expect([Math.min(...factors("black")), Math.max(...factors("black"))].map((f) => Math.round(f * 20) / 20)).toEqual([
      0.6, 1.4,
    ]);
    expect(Math.min(...factors("grey"))).toBeLessThan(0.1);
    expect(Math.max(...factors("grey"))).toBeGreaterThan(2.9);
    expect(factors("mean")).toEqual([]);
    expect(new Set(plans.map((steps) => steps.map(({ kind }) => kind).join())).size).toBe(3);
  });

  it("refuses pictures that are no bytes", () => {
    const floats: Raster = { pixels: new Float32Array(12), height: 2, width: 2, channels: 3 };
    expect(() => applySteps(floats, [{ kind: "stretch", by: "range" }])).toThrow(RunError);
  });
});

describe("what views of a sample are made with", () => {
  const context = augmentContext(arrayOfImage({ height: 40, width: 40, channels: 3 }));
  const size = { height: 40, width: 40 };
  const steps = (augment: typeof grayscale | typeof solarize | typeof gaussianBlur, values: object, samples = 1) =>
    Array.from({ length: samples }, (_, i) =>
      augment.plan(values as never, size, context, randomStream(3, "augment", i)),
    );

  it("is torchvision's: the blur, the inverted bright pixels and the grey ones", () => {
    for (const { of, sigma, kernel, pixels } of fixture.blur) {
      const [step] = steps(gaussianBlur, { sigma: [sigma, sigma], kernel, probability: 1 })[0] as ImageStep[];
      expect(step).toEqual({ kind: "blur", sigma, kernel });
      expect(compared(picture(of), step as ImageStep, pixels)[0], `blur ${sigma} ${of}`).toBeLessThanOrEqual(1);
    }
    for (const { of, threshold, pixels } of fixture.solarize) {
      const [step] = steps(solarize, { threshold, probability: 1 })[0] as ImageStep[];
      expect(compared(picture(of), step as ImageStep, pixels)).toEqual([0, 0]);
    }
    const grayed = fixture.jitter.find(({ kind, of, factor }) => kind === "grey" && of === "colours" && factor === 0);
    const [step] = steps(grayscale, { probability: 1 })[0] as ImageStep[];
    expect(compared(picture("colours"), step as ImageStep, grayed?.pixels as string)[0]).toBeLessThanOrEqual(1);
  });

  it("happens as often as is written, as strongly as is written", () => {
    const often = (augment: typeof grayscale | typeof solarize | typeof gaussianBlur, values: object): number =>
      steps(augment, { ...values, probability: 0.3 }, 2000).filter(({ length }) => length > 0).length;
    for (const count of [
      often(grayscale, {}),
      often(solarize, { threshold: 128 }),
      often(gaussianBlur, { sigma: [0.1, 2], kernel: null }),
    ]) {
      expect(Math.abs(count - 600)).toBeLessThan(5 * Math.sqrt(2000 * 0.3 * 0.7));
    }
    const drawn = steps(gaussianBlur, { sigma: [0.5, 1], kernel: null, probability: 1 }, 500).flat();
    const sigmas = drawn.flatMap((step) => (step.kind === "blur" && step.kernel === 5 ? step.sigma : []));
    expect(sigmas).toHaveLength(500);
    expect([Math.min(...sigmas), Math.max(...sigmas)].map((one) => Math.round(one * 100) / 100)).toEqual([0.5, 1]);
  });
});

describe("random_erasing", () => {
  it("overwrites boxes of the size that is written, in the share of samples that is written", () => {
    const context = augmentContext(arrayOfImage({ height: 60, width: 40, channels: 3 }));
    const values = { probability: 0.25, area: [0.02, 1 / 3], aspect: [0.3, 10 / 3], count: 1, with: "noise" } as const;
    const boxes = Array.from({ length: 4000 }, (_, i) =>
      randomErasing.plan(values, { height: 60, width: 40 }, context, randomStream(3, "augment", i)),
    ).flat();
    expect(Math.abs(boxes.length / 4000 - 0.25)).toBeLessThan(0.03);
    for (const box of boxes) {
      if (box.kind !== "erase") throw new Error(box.kind);
      const share = (box.height * box.width) / (60 * 40);
      expect(share > 0.015 && share < 0.35).toBe(true);
      expect([box.top >= 0, box.left >= 0, box.top + box.height <= 60, box.left + box.width <= 40]).not.toContain(
        false,
      );
      expect(box.values.length).toBe(box.height * box.width * 3);
    }
    const noise = boxes.flatMap((box) => (box.kind === "erase" ? [...box.values.subarray(0, 20)] : []));
    expect(Math.abs(noise.reduce((sum, x) => sum + x * x, 0) / noise.length - 1)).toBeLessThan(0.05);
  });
});
