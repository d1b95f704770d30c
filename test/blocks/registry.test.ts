/** What every block of every kind owes its readers: names, words, ranges and defaults. It catches the forgotten half of a new block. */

import { describe, expect, test } from "vitest";
import { axisNames, type Definition, kindOf, type Param, type ParamType, registry } from "../../blocks/index.js";

const kinds = Object.entries(registry) as readonly (readonly [string, readonly Definition[]])[];
const blocks = kinds.flatMap(([kind, list]) => list.map((block) => ({ kind, name: block.name, block })));

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

type Kind = ParamType["kind"];
type TypeOf<K extends Kind> = Extract<ParamType, { readonly kind: K }>;

const isBetween = (value: unknown, min: number, max: number): boolean =>
  typeof value === "number" && value >= min && value <= max;

/** Whether a value is one that a spec could have written. */
const inRange: { readonly [K in Kind]: (value: never, type: TypeOf<K>) => boolean } = {
  int: (value: unknown, { min, max }) => Number.isInteger(value) && isBetween(value, min, max),
  real: (value: unknown, { min, max, openMin }) => isBetween(value, min, max) && !(openMin && value === min),
  ratio: (value: unknown, { min, max, open }) =>
    isBetween(value, min, max) && !(open && (value === min || value === max)),
  size: (sides: readonly unknown[], { min, max, count }) =>
    (count === null || sides.length === count) &&
    sides.every((side) => Number.isInteger(side) && isBetween(side, min, max)),
  choice: (value: string, { options }) => value in options,
  flag: (value: unknown) => typeof value === "boolean",
  text: (value: unknown) => typeof value === "string",
  reals: (list: readonly unknown[], { length, min, max }) =>
    (length === null || list.length === length) && list.every((value) => isBetween(value, min, max)),
  interval: (ends: readonly [number, number], { min, max }) =>
    ends.length === 2 && ends[0] <= ends[1] && ends.every((end) => isBetween(end, min, max)),
  rate: ({ value, per }: { value: unknown; per: unknown }, { min }) =>
    isBetween(value, min, Infinity) && (per === null || isBetween(per, 1, Infinity)),
  duration: ({ amount, unit }: { amount: unknown; unit: string }, { min }) =>
    isBetween(amount, min, Infinity) && ["epochs", "steps"].includes(unit),
  schedule: (value: unknown, { min, max }) => {
    const moving = value as { readonly from: unknown; readonly to: unknown };
    const ends = typeof value === "number" ? [value] : [moving.from, moving.to];
    return ends.every((end) => isBetween(end, min, max));
  },
  block: ({ block: value }: { block: unknown }, { of }) =>
    blocks.some(({ kind, block }) => kind === of && block === value),
  axes: (names: readonly string[]) => names.every((name) => (axisNames as readonly string[]).includes(name)),
  quantity: (value: unknown, { min, max }) => isBetween(value, min, max),
  sources: (list: readonly { file: unknown; part: unknown }[]) =>
    list.every(({ file, part }) => typeof file === "string" && (part === null || typeof part === "string")),
  parts: (list: readonly unknown[]) => list.every((name) => typeof name === "string"),
  recipes: (list: readonly unknown[]) => list.every((name) => typeof name === "string"),
  labels: (list: readonly unknown[]) => list.every((label) => typeof label === "string"),
};

/** null: may be left out. */
const fits = ({ type, default: value }: Param<unknown>): boolean =>
  value === null || (inRange[type.kind] as (value: unknown, type: ParamType) => boolean)(value, type);

describe.each(kinds)("the list of %s blocks", (_, list) => {
  const names = list.map(({ name }) => name);
  test("is not empty, and sorted by names of which none comes twice", () => {
    expect(names.length).toBeGreaterThan(0);
    expect(names).toEqual([...new Set(names)].sort());
  });
  test("has one block at most that stands in an empty slot, and that one needs no argument", () => {
    const standing = list.filter(({ isDefault }) => isDefault);
    expect(standing.length).toBeLessThanOrEqual(1);
    for (const { params } of standing) {
      for (const [name, param] of Object.entries(params)) expect(param.default, name).not.toBe(undefined);
    }
  });
});

describe.each(blocks)("$kind/$name", ({ kind, block }) => {
  const params = Object.entries(block.params);

  test("was defined as what it is", () => {
    expect(kindOf(block)).toBe(kind);
  });

  test("says what it is, whence it comes and since when", () => {
    expect(block.name).toMatch(snakeCase);
    expect(block.summary).toMatch(/^[A-Z].*[^.]\.$/);
    expect(block.source).toMatch(/\w.*[^.]$/);
    expect(block.since).toMatch(/^\d+\.\d+$/);
  });

  test("says what its parameters are", () => {
    for (const [name, { type, doc }] of params) {
      expect(name).toMatch(snakeCase);
      expect(doc, name).toMatch(/^[A-Z`].*[^.]\.$/);
      const options = type.kind === "choice" ? Object.entries(type.options) : [];
      for (const [option, meaning] of options) {
        expect(option).toMatch(snakeCase);
        expect(meaning, option).toMatch(/^[A-Z`].*[^.]\.$/);
      }
      if (type.kind === "choice") expect(options.length).toBeGreaterThan(0);
    }
  });

  test("has defaults that a spec could write", () => {
    for (const [name, param] of params) if (param.default !== undefined) expect(fits(param), name).toBe(true);
  });

  test("takes an unnamed argument for a parameter that it has", () => {
    if (block.positional !== undefined) expect(Object.keys(block.params)).toContain(block.positional);
  });

  test("names its conditions apart and points at its own parameters", () => {
    const conditions = block.requires ?? [];
    const names = conditions.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const { name, at, doc } of conditions) {
      expect(name).toMatch(kebabCase);
      expect(doc, name).toMatch(/^[A-Z`].*[^.]\.$/);
      if (at !== null) expect(Object.keys(block.params)).toContain(at);
    }
  });
});
