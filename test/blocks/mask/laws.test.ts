/** What holds for every mask on every grid: an exact count, a permutation, repeatable, and helpful where it cannot be. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Lattice, tokenCount } from "../../../blocks/index.js";
import { type Mask, masks, visibleTokens } from "../../../blocks/mask/index.js";
import { felzenszwalb } from "../../../blocks/regions/index.js";
import { runs } from "../../support/fuzz.js";
import { contextOf, draw, gridOf } from "./drawn.js";

type Values = Readonly<Record<string, unknown>>;

/** Stands for any block that is a value. */
const blockValue = { block: felzenszwalb, values: { scale: [100], sigma: 0.8, min_size: null } };

const grids = fc.tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 15 })).map(([r, c]) => gridOf(r, c));

/** Values in the range of each parameter, drawn from the definition itself. */
const valuesOf = (mask: Mask): fc.Arbitrary<Values> =>
  fc.record(
    Object.fromEntries(
      Object.entries(mask.params).map(([name, { type, default: usual }]): [string, fc.Arbitrary<unknown>] => {
        switch (type.kind) {
          case "ratio":
            return [name, fc.integer({ min: 1, max: 999 }).map((n) => n / 1000)];
          case "real":
            return [name, fc.integer({ min: 1, max: 99 }).map((n) => n / 10)];
          case "int":
            return [name, fc.integer({ min: type.min, max: 12 })];
          case "axes":
            return [name, fc.constant(null)];
          case "size":
            if (type.count === null) return [name, fc.constant(null)];
            return [name, fc.tuple(fc.integer({ min: type.min, max: 6 }), fc.integer({ min: type.min, max: 6 }))];
          case "choice": {
            const options = fc.constantFrom(...Object.keys(type.options));
            return [name, usual === null ? fc.option(options) : options];
          }
          case "interval":
            return [
              name,
              fc.tuple(fc.double({ min: 0.1, max: 1, noNaN: true }), fc.double({ min: 1, max: 9, noNaN: true })),
            ];
          case "schedule":
            return [name, fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000)];
          case "duration":
            return [name, fc.record({ amount: fc.nat(9), unit: fc.constantFrom("epochs", "steps") })];
          case "block":
            return [name, fc.constant(blockValue)];
          case "labels":
            return [name, fc.constant(null)];
          default:
            throw new Error(`no values for a parameter of kind ${type.kind}`);
        }
      }),
    ),
  );

/** A ball is one of clouds, and any other mask may be of pictures. */
const toldOf = (mask: Mask, grid: Lattice) => contextOf(grid, mask.name === "ball");

const broken = (mask: Mask, values: Values, grid: Lattice) =>
  (mask.requires ?? []).filter((r) => !r.holds(values as never, toldOf(mask, grid)));

describe.each((masks as readonly Mask[]).map((mask) => ({ name: mask.name, mask })))("$name", ({ mask }) => {
  test("orders every patch once, with some visible and some hidden, on any grid", () => {
    fc.assert(
      fc.property(grids, valuesOf(mask), fc.nat(1000), (grid, values, sample) => {
        fc.pre(broken(mask, values, grid).length === 0);
        const tokens = tokenCount(grid);
        const { order, visible } = draw(mask, values as never, grid, sample);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: tokens }, (_, i) => i));
        expect(visible.length).toBeGreaterThan(0);
        expect(visible.length).toBeLessThan(tokens);
        // Ids are chosen by rules of their own, and a share may be one of what is not given.
        if ("ratio" in values && !mask.corrupts && !mask.given)
          expect(visible.length).toBe(visibleTokens(tokens, values.ratio as number, values.round as never));
      }),
      { numRuns: runs(300) },
    );
  });

  test("is a function of its stream", () => {
    fc.assert(
      fc.property(grids, valuesOf(mask), fc.nat(1000), (grid, values, sample) => {
        fc.pre(broken(mask, values, grid).length === 0);
        expect(draw(mask, values as never, grid, sample)).toEqual(draw(mask, values as never, grid, sample));
      }),
      { numRuns: runs(30) },
    );
  });

  test("says what is wrong and what would fit", () => {
    fc.assert(
      fc.property(grids, valuesOf(mask), (grid, values) => {
        for (const requirement of broken(mask, values, grid)) {
          expect(requirement.say(values as never, toldOf(mask, grid))).toMatch(/\w+ \w+/);
          expect(requirement.help?.(values as never, toldOf(mask, grid))).toMatch(/\w+ \w+/);
        }
      }),
    );
  });

  test("mends a ratio that leaves nothing visible with those it proposes", () => {
    if (!("ratio" in mask.params)) return;
    const defaults = Object.fromEntries(
      Object.entries(mask.params).map(([name, p]) => [name, p.type.kind === "block" ? blockValue : p.default]),
    );
    fc.assert(
      fc.property(grids, (grid) => {
        const tokens = tokenCount(grid);
        fc.pre(tokens > 1);
        // Other parameters may ask for more patches than there are.
        fc.pre(broken(mask, { ...defaults, ratio: 0.9999 }, grid).every(({ at }) => at === "ratio"));
        const [finding, ...more] = broken(mask, { ...defaults, ratio: 0.9999 }, grid);
        expect(more).toEqual([]);
        // Of what is given, something is always visible.
        if (mask.given) {
          expect(finding).toBeUndefined();
          return;
        }
        const help = finding?.help?.({ ...defaults, ratio: 0.9999 } as never, toldOf(mask, grid)) ?? "";
        const visible = Array.from(help.matchAll(/([\d.]+)%/g), ([, percent]) => {
          const mended = { ...defaults, ratio: Number(percent) / 100 };
          expect(broken(mask, mended, grid)).toEqual([]);
          return draw(mask, mended as never, grid, 0).visible.length;
        });
        expect(visible).toEqual([tokens - 1, 1]);
      }),
    );
  });
});
