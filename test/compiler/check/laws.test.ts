/** What holds for any text at all: no throw, findings inside their text and in its order, nothing handed on that is broken. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { registry } from "../../../blocks/index.js";
import { type Analysis, analyze } from "../../../compiler/index.js";
import { runs } from "../../support/fuzz.js";

const root = join(import.meta.dirname, "../../..");

const texts = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".mae"))
    .map((path) => readFileSync(join(root, folder, path), "utf8"));

const specs = [...texts("examples"), ...texts("test/compiler/check/cases")];
const imported = specs[0] as string;

const check = (text: string): Analysis => analyze({ path: "test.mae", text }, { readText: () => imported }, registry);

function expectLaws(text: string): void {
  const { diagnostics, models, recipes } = check(text);
  for (const { span, related, fix } of diagnostics) {
    const edits = (fix?.edits ?? []).map((edit) => edit.span);
    for (const place of [span, ...(related ?? []).map((other) => other.span), ...edits]) {
      expect(place.start).toBeGreaterThanOrEqual(0);
      expect(place.end).toBeGreaterThanOrEqual(place.start);
      expect(place.end).toBeLessThanOrEqual(place.source.text.length);
    }
  }
  const own = diagnostics.filter(({ span }) => span.source.path === "test.mae").map(({ span }) => span.start);
  expect(own).toEqual([...own].sort((a, b) => a - b));
  for (const recipe of recipes.values()) expect(models.has(recipe.model)).toBe(true);
}

const spec = fc.constantFrom(...specs);

test("any beginning of a spec", () => {
  const beginning = fc.tuple(spec, fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(beginning, ([text, share]) => expectLaws(text.slice(0, Math.floor(text.length * share)))),
    { numRuns: runs(300) },
  );
});

test("a spec with pieces cut out, doubled, or taken from another", () => {
  const piece = fc.tuple(spec, fc.nat(2000), fc.nat(60));
  const change = fc.record({ at: fc.nat(2000), cut: fc.nat(40), piece, put: fc.boolean() });
  const changed = fc.tuple(spec, fc.array(change, { minLength: 1, maxLength: 4 })).map(([text, changes]) =>
    changes.reduce((now, { at, cut, piece: [other, from, length], put }) => {
      const place = at % (now.length + 1);
      const start = from % (other.length + 1);
      return now.slice(0, place) + (put ? other.slice(start, start + length) : "") + now.slice(place + cut);
    }, text),
  );
  fc.assert(
    fc.property(changed, (text) => expectLaws(text)),
    { numRuns: runs(400) },
  );
});

test("words and signs in any order", () => {
  const words = fc.constantFrom(
    ..."model recipe variants pipeline stage import extends for of let add replace remove set skip when is and".split(
      " ",
    ),
    ..."encoder mask target loss data batch epochs vit random constructor toString __proto__ A B 75% 16x16".split(" "),
    ...'{ } ( ) [ ] : , . = | -> .. 1e9 -1 0 "a" "./x.mae" per over every from \n \n'.split(" "),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 60 }), (all) => expectLaws(all.join(" "))),
    { numRuns: runs(300) },
  );
});

test("names that every object has are no names of ours", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    const model = `model ${name} extends ${name}2 {\n  ${name} ${name}(${name}: ${name})\n  encoder vit(${name}: 1)\n  set ${name}.${name}: 1\n}\n`;
    expectLaws(`${model}recipe R for ${name} {\n  ${name} 1\n  loss ${name}\n}\n`);
    expect(check(model).models.size).toBe(0);
  }
});

test("long chains end in a finding, not in the stack", () => {
  const models = Array.from(
    { length: 3000 },
    (_, i) => `model M${i} extends M${i + 1} {\n  set encoder.depth: ${i}\n}\n`,
  );
  const lets = Array.from({ length: 3000 }, (_, i) => `  let v${i} = (v${i + 1}, 1)\n`);
  const { diagnostics } = check(`${models.join("")}model L {\n${lets.join("")}  let v3000 = v0\n}\n`);
  const codes = new Set(diagnostics.map(({ code }) => code));
  expect(codes).toContain("check/too-deep");
  expect(codes).toContain("check/variable-cycle");
});
