/** Detection: average precision and outlines against pycocotools, objects under crops and flips, and places against their definition. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averagePrecisions, type JudgedImage } from "../../../blocks/detection/average-precision.js";
import {
  type DetectorFacts,
  denseTargets,
  foundIn,
  predictionNumbers,
  targetNumbers,
} from "../../../blocks/detection/dense.js";
import {
  type Annotated,
  type ImageObject,
  isInside,
  movedObjects,
  overlapOf,
} from "../../../blocks/detection/objects.js";
import { areaOfRuns, combined, runsOfBits, runsOfPolygons } from "../../../blocks/detection/runs.js";

type Numbers = readonly number[];
interface Recorded {
  readonly image: number;
  readonly category: number;
  readonly box: readonly [number, number, number, number];
  readonly polygons: readonly Numbers[];
}

const recorded = JSON.parse(readFileSync(new URL("../../reference/detection.json", import.meta.url), "utf8")) as {
  readonly size: { readonly height: number; readonly width: number };
  readonly images: number;
  readonly classes: number;
  readonly objects: readonly (Recorded & { readonly area: number; readonly crowd: boolean; readonly pixels: number })[];
  readonly found: readonly (Recorded & { readonly score: number })[];
  readonly runs: Numbers;
  readonly results: Readonly<
    Record<"bbox" | "segm", Readonly<Record<string, number>> & { readonly per_class: Numbers }>
  >;
};
const { height, width } = recorded.size;
const boxOf = ([x, y, w, h]: Recorded["box"]) => ({ x, y, width: w, height: h });
const maskOf = ({ polygons }: Recorded) => runsOfPolygons(polygons, height, width);

describe("pycocotools", () => {
  test("fills outlines the same", () => {
    expect(maskOf(recorded.objects[0] as Recorded)).toEqual(recorded.runs);
    for (const one of recorded.objects) expect(areaOfRuns(maskOf(one))).toBe(one.pixels);
  });

  test.each(["bbox", "segm"] as const)("has the same average precision of %s", (kind) => {
    const images = Array.from(
      { length: recorded.images },
      (_, i): JudgedImage => ({
        objects: recorded.objects
          .filter(({ image }) => image === i)
          .map((one) => ({ ...one, box: boxOf(one.box), mask: maskOf(one) })),
        found: recorded.found
          .filter(({ image }) => image === i)
          .map((one) => ({ ...one, box: boxOf(one.box), mask: maskOf(one) })),
      }),
    );
    const { perClass, ...found } = averagePrecisions(images, recorded.classes, kind === "bbox" ? "box" : "mask");
    const { per_class: expectedPerClass, ...expected } = recorded.results[kind];
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(found)) expect(value, name).toBeCloseTo(expected[name] as number, 12);
    for (const [k, value] of perClass.entries()) expect(value).toBeCloseTo(expectedPerClass[k] as number, 12);
    expect(expected.ap_large).toBeGreaterThan(0);
  });
});

test("runs are what bits say, alone and combined", () => {
  const bits = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }).map((all) => Uint8Array.from(all, Number));
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      const [runsA, runsB] = [a, b].map((one) => runsOfBits(one, 3, 4)) as [Numbers, Numbers];
      const both = a.map((bit, i) => bit & (b[i] as number));
      const either = a.map((bit, i) => bit | (b[i] as number));
      expect(areaOfRuns(combined(runsA, runsB, false))).toBe(both.reduce((sum, bit) => sum + bit, 0));
      expect(areaOfRuns(combined(runsA, runsB, true))).toBe(either.reduce((sum, bit) => sum + bit, 0));
    }),
  );
});

const object = (x: number, y: number, w: number, h: number, more: Partial<ImageObject> = {}): ImageObject => ({
  ...{ category: 0, box: { x, y, width: w, height: h }, area: w * h, crowd: false },
  polygons: [[x, y, x + w, y, x + w, y + h, x, y + h]],
  ...more,
});

test("objects move as their image does", () => {
  const annotated: Annotated = {
    size: { height: 40, width: 60 },
    objects: [object(10, 4, 20, 8), object(50, 30, 5, 5)],
  };
  const [moved, gone] = movedObjects(annotated, [
    { kind: "crop", top: 0, left: 20, height: 20, width: 30 },
    { kind: "resize", height: 40, width: 30, filter: "nearest" },
    { kind: "flip", axis: "horizontal" },
  ]);
  // Cut to x 0..10 of 30, made twice as high, mirrored to x 20..30.
  expect(moved).toMatchObject({ box: { x: 20, y: 8, width: 10, height: 16 }, area: 160 });
  expect(gone).toBeUndefined();
  expect(moved?.polygons?.[0]?.slice(0, 2)).toEqual([40, 8]);
  const [turned] = movedObjects(annotated, [{ kind: "flip", axis: "vertical" }]);
  expect(turned?.box).toEqual({ x: 10, y: 28, width: 20, height: 8 });
  expect(isInside(turned?.polygons ?? [], 15, 30)).toBe(true);
});

describe("places", () => {
  const facts: DetectorFacts = {
    levels: [
      { rows: 16, columns: 16, stride: 4 },
      { rows: 8, columns: 8, stride: 8 },
    ],
    classes: 3,
    mask: 6,
  };
  const image = { height: 64, width: 64 };

  /** What a detector would say that says exactly what it should. */
  function perfect(targets: Float32Array): Float32Array {
    const [from, to] = [targetNumbers(facts.mask), predictionNumbers(facts)];
    const said = new Float32Array((targets.length / from) * to);
    for (let place = 0; place < targets.length / from; place++) {
      const [wanted, at] = [targets.subarray(place * from, (place + 1) * from), place * to];
      const logit = (share: number) => Math.log(share / (1 - share));
      for (let k = 0; k < facts.classes; k++) said[at + k] = wanted[0] === k ? 8 : -8;
      said.set(wanted.subarray(1, 5), at + facts.classes);
      said[at + facts.classes + 4] = logit(Math.min(0.999, Math.max(0.001, wanted[5] as number)));
      said.set(
        wanted.subarray(6).map((cell) => (cell ? 8 : -8)),
        at + facts.classes + 5,
      );
    }
    return said;
  }

  test("that say what they should find every object once, with its outline", () => {
    const triangle = [[36, 8, 60, 8, 36, 32]];
    const objects = [
      object(4, 6, 12, 16),
      object(36, 8, 24, 24, { category: 2, polygons: triangle }),
      object(8, 30, 40, 34, { category: 1 }),
    ];
    const targets = denseTargets(objects, facts);
    const found = foundIn(perfect(targets), facts, image, { score: 0.05, overlap: 0.6, most: 100 });
    expect(found.map(({ category }) => category).sort()).toEqual([0, 1, 2]);
    for (const one of found) {
      const truth = objects.find(({ category }) => category === one.category) as ImageObject;
      expect(overlapOf(one.box, truth.box)).toBeGreaterThan(0.999);
      const mask = runsOfPolygons(truth.polygons ?? [], image.height, image.width);
      const common = areaOfRuns(combined(mask, one.mask ?? [], false));
      expect(common / areaOfRuns(combined(mask, one.mask ?? [], true))).toBeGreaterThan(0.8);
    }
  });

  test("speak for the smallest of two objects, on the level of its size, and for no crowd", () => {
    const small = object(26, 26, 10, 10, { category: 1 });
    const targets = denseTargets([object(0, 0, 64, 64), small, object(44, 44, 16, 16, { crowd: true })], facts);
    const numbers = targetNumbers(facts.mask);
    const kinds = Array.from({ length: targets.length / numbers }, (_, place) => targets[place * numbers] as number);
    const [fine, coarse] = [kinds.slice(0, 256), kinds.slice(256)];
    expect(new Set(fine)).toEqual(new Set([-1, 1]));
    expect(new Set(coarse)).toEqual(new Set([-1, 0]));
    // The place of stride 4 at (30, 30) is 1.5 strides or less from (31, 31), and its centredness is that of FCOS.
    const place = 7 * 16 + 7;
    expect(fine[place]).toBe(1);
    expect(Array.from(targets.subarray(place * numbers + 1, place * numbers + 5))).toEqual([1, 1, 1.5, 1.5]);
    expect(targets[place * numbers + 5]).toBeCloseTo(2 / 3, 6);
  });
});
