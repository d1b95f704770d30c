/** What masks have in common: units are drawn, tokens are hidden with their unit, and the counts are those of the papers. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Lattice, masks, placeOf, tokenCount } from "../../../blocks/index.js";
import { visibleTokens } from "../../../blocks/mask/index.js";
import { runs } from "../../support/fuzz.js";
import { contextOf, draw, plain } from "./drawn.js";

const video: Lattice = [
  { name: "time", count: 8, size: 2 },
  { name: "row", count: 14, size: 16 },
  { name: "column", count: 14, size: 16 },
];

const ecg: Lattice = [
  { name: "lead", count: 12, size: 1 },
  { name: "time", count: 30, size: 75 },
];

/** Whether tokens at the same place along these axes are hidden alike. */
const isRepeated = (grid: Lattice, visible: readonly number[], axes: readonly string[]): boolean => {
  const seen = new Set(visible);
  const states = new Map<string, boolean>();
  return Array.from({ length: tokenCount(grid) }, (_, token) => {
    const key = placeOf(grid, token)
      .filter((_, i) => axes.includes(grid[i]?.name ?? ""))
      .join();
    const state = states.get(key) ?? seen.has(token);
    states.set(key, state);
    return state === seen.has(token);
  }).every(Boolean);
};

describe("what the papers count", () => {
  const cases = [
    ["MAE", 196, 0.75, "visible_down", 49],
    ["SparK", 49, 0.6, "nearest", 20],
    ["SparK at 384", 144, 0.75, "nearest", 36],
    ["FCMAE", 49, 0.6, "visible_down", 19],
    ["SimMIM", 36, 0.6, "visible_down", 14],
    ["MAE-ST", 1568, 0.9, "visible_down", 156],
    ["OmniMAE", 1568, 0.9, "hidden_down", 157],
    ["MTAE", 30, 0.75, "visible_down", 7],
    ["MLAE", 12, 0.75, "visible_down", 3],
  ] as const;
  test.each(cases)("%s: of %i at %d, %s, %i", (_, tokens, ratio, round, visible) => {
    expect(visibleTokens(tokens, ratio, round)).toBe(visible);
  });

  test("tubes of VideoMAE show 20 of 196 at all times, 160 of 1568", () => {
    const p = { ...plain, ratio: 0.9, round: "hidden_down", along: ["row", "column"] } as const;
    expect(masks.random.visible(p, video)).toBe(160);
    const { visible } = draw(masks.random, p, video, 0);
    expect(visible).toHaveLength(160);
    expect(visible.filter((token) => token < 196)).toHaveLength(20);
    expect(isRepeated(video, visible, ["row", "column"])).toBe(true);
  });

  test("each lead of ST-MEM has a mask of its own: 7 of 30, 84 of 360", () => {
    const { visible } = draw(masks.random, { ratio: 0.75, each: ["lead"] }, ecg, 0);
    const leads = Array.from({ length: 12 }, (_, lead) => visible.filter((token) => Math.floor(token / 30) === lead));
    expect(leads.every((own) => own.length === 7)).toBe(true);
    expect(new Set(leads.map((own) => own.map((token) => token % 30).join())).size).toBeGreaterThan(1);
  });

  test("cells of SimMIM are hidden whole", () => {
    const grid: Lattice = [
      { name: "row", count: 14, size: 16 },
      { name: "column", count: 14, size: 16 },
    ];
    const { visible } = draw(masks.random, { ratio: 0.6, cell: [32, 32] }, grid, 0);
    expect(visible).toHaveLength(19 * 4);
    const cells = new Set(visible.map((token) => Math.floor(token / 28) * 7 + Math.floor((token % 14) / 2)));
    expect(cells.size).toBe(19);
  });
});

const names = ["time", "row", "column"] as const;
const lattices = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .map((counts): Lattice => counts.map((count, i) => ({ name: names[i] as (typeof names)[number], count, size: 2 })));
const someAxes = fc.subarray([...names], { minLength: 1 });

test.each([masks.random, masks.block, masks.hilbert, masks.grid])(
  "$name: tokens of a unit go together, and the count is exact, on any lattice",
  (mask) => {
    const defaults = Object.fromEntries(Object.entries(mask.params).map(([name, p]) => [name, p.default]));
    const rounds = fc.constantFrom("visible_down", "hidden_down", "nearest", null);
    fc.assert(
      fc.property(lattices, someAxes, fc.boolean(), rounds, fc.nat(99), (grid, along, double, round, sample) => {
        const cell = double ? grid.map(({ count, size }) => (count % 2 === 0 ? 2 * size : size)) : null;
        const p = { ...plain, ...defaults, along, cell, round } as never;
        const context = contextOf(grid);
        const asked = (mask.requires ?? []) as readonly { holds(p: never, context: object): boolean }[];
        fc.pre(asked.every((condition) => condition.holds(p, context)));
        const { order, visible } = draw(mask as typeof masks.random, p, grid, sample);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from(order, (_, i) => i));
        expect(visible.length).toBeGreaterThan(0);
        expect(visible.length).toBeLessThan(order.length);
        expect(isRepeated(grid, visible, along)).toBe(true);
      }),
      { numRuns: runs(100) },
    );
  },
);

test("says which dial is wrong", () => {
  const wrong = (values: object, mask = masks.random as typeof masks.hilbert): readonly string[] => {
    const p = { ...plain, ratio: 0.5, keep: "stratified", length: 4, ...values } as never;
    return (mask.requires ?? []).flatMap((one) =>
      one.holds(p, contextOf(video)) ? [] : [one.say(p, contextOf(video))],
    );
  };
  expect(wrong({ along: ["lead"] })).toContain("the tokens have no axis `lead`");
  expect(wrong({ along: ["row"], each: ["row"] })).toContain("`row` is in `along` and in `each`");
  expect(wrong({ each: ["time", "row", "column"] })).toContain("no axis is left over which it is drawn");
  expect(wrong({ cell: [2, 24, 24] })).toEqual(["a cell of 2x24x24 does not consist of whole tokens of 2x16x16"]);
  expect(wrong({ cell: [32, 32] })).toEqual(["a cell of 32x32 has 2 sides, and the tokens 3 axes"]);
  expect(wrong({ cell: [2, 48, 32] })).toEqual(["cells of 2x48x32 do not divide the input of 16x224x224"]);
  expect(wrong({}, masks.hilbert)).toEqual(["it runs through two axes, and is to be drawn over 3: time, row, column"]);
  expect(wrong({ along: ["time", "row"] }, masks.hilbert)).toEqual([]);
});

test("a check and a count list no tokens, however many there are", () => {
  const huge = video.map(({ name }): Lattice[number] => ({ name, count: 65536, size: 1 }));
  const counted = (values: object, mask = masks.random as typeof masks.hilbert): number => {
    const p = { ...plain, ratio: 0.75, keep: "stratified", length: 4, ...values } as never;
    expect((mask.requires ?? []).filter((one) => !one.holds(p, contextOf(huge)))).toEqual([]);
    return mask.visible(p, huge);
  };
  expect(counted({ along: ["time"] })).toBe(2 ** 46);
  expect(counted({ each: ["time"], cell: [1, 32, 32] })).toBe(2 ** 46);
  expect(counted({ along: ["row", "column"] }, masks.hilbert)).toBe(2 ** 46);
});
