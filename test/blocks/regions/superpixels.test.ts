/** Segments of photographs: those of scikit-image, pixel by pixel; see test/reference/superpixels.py. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { superpixels } from "../../../blocks/regions/superpixels.js";

interface Case {
  readonly scale: number;
  readonly sigma: number;
  readonly min_size: number;
  readonly segments: number;
}

interface Photograph {
  readonly name: string;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly cases: readonly Case[];
  readonly green_channel_cases: readonly Case[];
}

const folder = new URL("../../reference/", import.meta.url);
const { photographs, edges } = JSON.parse(readFileSync(new URL("superpixels.json", folder), "utf8")) as {
  readonly photographs: readonly Photograph[];
  readonly edges: readonly (Pick<Photograph, "shape" | "cases"> & { readonly bytes: readonly number[] })[];
};

const open = (name: string) => sharp(readFileSync(new URL(`photographs/${name}.png`, folder)));
const read = (name: string): Promise<Uint8Array> => open(name).raw().toBuffer();
/** The numbers of a grey file, which sharp would repeat over three channels. */
const readGrey = (name: string): Promise<Uint8Array> => open(name).extractChannel(0).raw().toBuffer();

const everyThird = (bytes: Uint8Array, from: number): Uint8Array =>
  Uint8Array.from({ length: bytes.length / 3 }, (_, i) => bytes[3 * i + from] as number);

type Shape = Parameters<typeof superpixels>[1];

const segmentsOf = (pixels: Float32Array | Float64Array, shape: Shape, one: Omit<Case, "segments">): Int32Array =>
  superpixels(pixels, shape, one.sigma, [{ scale: one.scale, minSize: one.min_size }])[0] as Int32Array;

/** Pixels whose segment is another than the recorded one. */
function differing(segments: Int32Array, recorded: Uint8Array, place: number): number {
  const expected = recorded.subarray(place * segments.length, (place + 1) * segments.length);
  return segments.filter((segment, i) => segment !== expected[i]).length;
}

describe.each(photographs)("$name", ({ name, shape: [height, width, channels], ...photograph }) => {
  test("has the segments of scikit-image, in float64 and from float32 pixels", async () => {
    const [bytes, recorded] = [await read(name), await readGrey(`${name}-segments`)];
    const shape = { height, width, channels };
    expect(photograph.cases.length).toBeGreaterThan(2);
    for (const [place, one] of photograph.cases.entries()) {
      const exact = segmentsOf(
        Float64Array.from(bytes, (byte) => byte / 255),
        shape,
        one,
      );
      expect(Math.max(...exact) + 1).toBe(one.segments);
      expect(differing(exact, recorded, place)).toBe(0);
      const rounded = segmentsOf(
        Float32Array.from(bytes, (byte) => byte / 255),
        shape,
        one,
      );
      expect(differing(rounded, recorded, place)).toBe(0);
    }
  });

  test("has those of its green channel, where many edges cost the same", async () => {
    const [bytes, recorded] = [everyThird(await read(name), 1), await readGrey(`${name}-grey-segments`)];
    for (const [place, one] of photograph.green_channel_cases.entries()) {
      const pixels = Float64Array.from(bytes, (byte) => byte / 255);
      const segments = segmentsOf(pixels, { height, width, channels: 1 }, one);
      expect(differing(segments, recorded, place)).toBe(0);
    }
  });
});

test("an edge that costs as much as the limit falls as it does in scikit-image", () => {
  expect(edges.length).toBeGreaterThan(0);
  for (const { shape, bytes, cases } of edges) {
    const [height, width, channels] = shape;
    for (const one of cases) {
      for (const pixels of [
        Float64Array.from(bytes, (byte) => byte * (1 / 255)),
        Float32Array.from(bytes, (byte) => byte * (1 / 255)),
      ]) {
        const segments = segmentsOf(pixels, { height, width, channels }, one);
        expect(Math.max(...segments) + 1, `at scale ${one.scale}`).toBe(one.segments);
      }
    }
  }
});

test("several scales at once give what each gives alone", async () => {
  const pixels = Float32Array.from(await read("coffee"), (byte) => byte / 255);
  const shape = { height: 96, width: 144, channels: 3 };
  const each = [40, 400].map((scale) => ({ scale, minSize: scale / 4 }));
  expect(superpixels(pixels, shape, 0.8, each)).toEqual(each.flatMap((one) => superpixels(pixels, shape, 0.8, [one])));
});

test("any image is wholly divided into connected segments, none too small unless alone", () => {
  const image = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([height, width]) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      pixels: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: height * width, maxLength: height * width }),
    }),
  );
  fc.assert(
    fc.property(image, fc.integer({ min: 1, max: 12 }), ({ height, width, pixels }, minSize) => {
      const shape = { height, width, channels: 1 };
      const values = Float64Array.from(pixels, (value) => value / 8);
      const segments = segmentsOf(values, shape, { scale: 30, sigma: 0.8, min_size: minSize });
      const count = Math.max(...segments) + 1;
      const sizes = Array.from({ length: count }, (_, k) => segments.filter((segment) => segment === k).length);
      expect(count === 1 || Math.min(...sizes) >= minSize).toBe(true);
      expect(connectedParts(segments, height, width)).toBe(count);
    }),
  );
});

/** Numbers that touch by side or corner hold together. */
function connectedParts(segments: Int32Array, height: number, width: number): number {
  const seen = new Set<number>();
  let parts = 0;
  for (const start of segments.keys()) {
    if (seen.has(start)) continue;
    parts++;
    const open = [start];
    seen.add(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [y, x] = [Math.floor(at / width), at % width];
      for (const [dy, dx] of [0, 1, 2, 3, 5, 6, 7, 8].map((k) => [Math.floor(k / 3) - 1, (k % 3) - 1] as const)) {
        const next = (y + dy) * width + x + dx;
        const inside = y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width;
        if (!inside || seen.has(next) || segments[next] !== segments[at]) continue;
        seen.add(next);
        open.push(next);
      }
    }
  }
  return parts;
}
