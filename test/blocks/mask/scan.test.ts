/** The rules that choose places along a curve, seen through masks whose curve is known. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { spiral, zigzag } from "../../../blocks/mask/index.js";
import { rules } from "../../../blocks/mask/scan.js";
import { zigzagCurve } from "../../../blocks/mask/zigzag.js";
import { randomStream } from "../../../graph/index.js";
import { contextOf, draw, gridOf, plain, timesVisible } from "./drawn.js";

const counts = fc
  .tuple(fc.integer({ min: 2, max: 200 }), fc.nat(1_000_000), fc.nat(1000))
  .map(([tokens, v, sample]) => ({ tokens, visible: 1 + (v % (tokens - 1)), sample }));

const placesOf = (rule: keyof typeof rules, tokens: number, visible: number, length: number, sample: number) =>
  [...rules[rule].places(tokens, visible, length, randomStream(3, "mask", sample))].sort((a, b) => a - b);

test.each(Object.keys(rules) as (keyof typeof rules)[])("%s chooses as many distinct places as asked", (rule) => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 20 }), ({ tokens, visible, sample }, length) => {
      const places = placesOf(rule, tokens, visible, length, sample);
      expect(new Set(places).size).toBe(visible);
      expect(places.every((place) => Number.isInteger(place) && place >= 0 && place < tokens)).toBe(true);
    }),
  );
});

test("stratified has one place in each window", () => {
  fc.assert(
    fc.property(counts, ({ tokens, visible, sample }) => {
      for (const [j, place] of placesOf("stratified", tokens, visible, 4, sample).entries()) {
        expect(place).toBeGreaterThanOrEqual(Math.floor((j * tokens) / visible));
        expect(place).toBeLessThan(Math.floor(((j + 1) * tokens) / visible));
      }
    }),
  );
});

test("run leaves one gap, around the end of the curve too", () => {
  fc.assert(
    fc.property(counts, ({ tokens, visible, sample }) => {
      const places = new Set(placesOf("run", tokens, visible, 4, sample));
      const ends = [...places].filter((place) => !places.has((place + 1) % tokens));
      expect(ends.length).toBe(1);
    }),
  );
});

test("stride steps by the rounded spacing", () => {
  fc.assert(
    fc.property(counts, ({ tokens, visible, sample }) => {
      const places = placesOf("stride", tokens, visible, 4, sample);
      const gaps = places.slice(1).map((place, i) => place - (places[i] as number));
      for (const gap of gaps) expect([Math.floor(tokens / visible), Math.ceil(tokens / visible)]).toContain(gap);
    }),
  );
});

test("segments are whole, but for the one that meets the count and the one at the curve's end", () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 20 }), ({ tokens, visible, sample }, length) => {
      const places = placesOf("segments", tokens, visible, length, sample);
      const bySegment = new Map<number, number>();
      for (const place of places) {
        const segment = Math.floor(place / length);
        bySegment.set(segment, (bySegment.get(segment) ?? 0) + 1);
        // A segment is shown from its beginning.
        if (place % length > 0) expect(places).toContain(place - 1);
      }
      const short = [...bySegment].filter(([segment, count]) => count < Math.min(length, tokens - segment * length));
      expect(short.length).toBeLessThanOrEqual(1);
    }),
  );
});

describe("a mask along a curve", () => {
  const grid = gridOf(6, 8);
  const values = { ratio: 0.75, keep: "stratified", length: 4, share: "sample" } as const;

  test("lists visible, then hidden patches in the order of the curve", () => {
    const place = new Map([...zigzagCurve(6, 8)].map((token, k) => [token, k]));
    const { order } = draw(zigzag, values, grid, 5);
    const places = order.map((token) => place.get(token) as number);
    for (const part of [places.slice(0, 12), places.slice(12)]) expect(part).toEqual([...part].sort((a, b) => a - b));
  });

  test.each(["stratified", "run", "stride", "random"] as const)("%s shows every patch equally often", (keep) => {
    // 48 patches, 12 visible: windows and strides are whole, so every patch is visible with probability 1/4.
    const samples = 4000;
    const deviation = Math.sqrt(samples * 0.25 * 0.75);
    for (const count of timesVisible(zigzag, { ...values, keep }, grid, samples)) {
      expect(Math.abs(count - samples / 4)).toBeLessThan(5 * deviation);
    }
  });

  test("finds a length that no rule reads, and one that is too long", () => {
    const wrong = (p: Parameters<typeof zigzag.visible>[0]) =>
      (zigzag.requires ?? []).filter((r) => !r.holds(p, contextOf(grid))).map((r) => r.name);
    expect(wrong({ ...plain, ...values, length: 5 })).toEqual(["length-is-read"]);
    expect(wrong({ ...plain, ...values, keep: "segments", length: 5 })).toEqual([]);
    expect(wrong({ ...plain, ...values, keep: "segments", length: 13 })).toEqual(["length-fits"]);
  });
});

describe("spiral", () => {
  test("shows the middle or the border, the same in every sample", () => {
    const grid = gridOf(4, 4);
    const values = { ratio: 0.75, length: 4 };
    for (const sample of [0, 1, 2]) {
      expect(draw(spiral, { ...values, keep: "center" }, grid, sample).visible).toEqual([5, 6, 9, 10]);
      expect(draw(spiral, { ...values, keep: "border" }, grid, sample).visible).toEqual([0, 1, 2, 3]);
    }
  });
});
