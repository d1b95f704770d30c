/** Checking takes time in proportion to the text, and stops where a text is no spec. Compared are times of the processor, n with 4n. */

import { describe, expect, test } from "vitest";
import { registry } from "../../blocks/index.js";
import { analyze } from "../../compiler/index.js";
import type { Diagnostic } from "../../grammar/index.js";
import { withoutAdvice } from "../support/model.js";

const lines = (n: number, line: (i: number) => string): string => Array.from({ length: n }, (_, i) => line(i)).join("");
const base = "model Base {\n}\n";
const mae = `model Mae {
  input   image(size: 28x28, channels: 1)
  tokens  patch(size: 7x7)
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}
`;

/** Texts of n pieces, and how many pieces take some milliseconds. */
const series: Readonly<Record<string, readonly [n: number, text: (n: number) => string]>> = {
  "unknown bases": [400, (n) => lines(n, (i) => `model A${i} extends B${i} {\n}\n`)],
  "models of one name": [500, (n) => lines(n, () => "model A {\n}\n")],
  "a circle of bases": [400, (n) => lines(n, (i) => `model A${i} extends A${(i + 1) % n} {\n}\n`)],
  "a chain of bases": [
    200,
    (n) => lines(n, (i) => `model A${i + 1} extends A${i} {\n  set encoder.depth: ${i + 2}\n}\n`),
  ],
  "imports of one file": [400, (n) => lines(n, (i) => `import { A${i} } from "./base.mae"\n`)],
  "unused imports": [400, (n) => lines(n, (i) => `import { Base as A${i} } from "./base.mae"\n`)],
  "unknown slots": [500, (n) => `model A {\n${lines(n, (i) => `  foo${i} bar(baz: ${i})\n`)}}\n`],
  "unknown variables": [300, (n) => `model A {\n${lines(n, (i) => `  let a${i} = b${i}\n`)}}\n`],
  "changes that need a base": [400, (n) => `model A {\n${lines(n, () => "  add mask random(ratio: 75%)\n")}}\n`],
  "comments on one line": [4000, (n) => "/*".repeat(n)],
  "comments that are never closed": [1500, (n) => lines(n, () => "/* x\n")],
  "comments on one line of blanks": [1500, (n) => `${" ".repeat(20 * n)}${"/**/ ".repeat(n)}`],
  "documentation of one model": [3000, (n) => `${lines(n, () => "/// x\n")}${base}`],
  "wrong semicolons on one line": [2000, (n) => "; a ".repeat(n)],
  "opening quotes on one line": [2000, (n) => "„ ".repeat(n)],
  "brackets on one line": [1500, (n) => `model A {\n  mask ${"([) ".repeat(n)}\n}\n`],
};

const check = (text: string): readonly Diagnostic[] =>
  withoutAdvice(
    analyze({ path: "main.mae", text: `edition 2026\n\n${text}` }, { readText: () => base }, registry).diagnostics,
  );

/** Milliseconds of the processor; other processes on the machine do not count. */
function cost(text: string): number {
  const before = process.cpuUsage();
  check(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe.each(Object.entries(series))("%s", (_, [n, text]) => {
  test("take time in proportion to the text", () => {
    cost(text(n));
    // In proportion is 4, with its square 16. Collecting garbage may fall into one of the two, not into all five pairs.
    const isLinear = () => cost(text(4 * n)) < 9 * Math.max(2, cost(text(n)));
    expect([1, 2, 3, 4, 5].some(isLinear)).toBe(true);
  });
});

test("a text with more mistakes than are worth looking for is checked up to there, and says so", () => {
  const found = check(lines(12_000, () => "model A {\n}\n"));
  expect(found).toHaveLength(10_001);
  expect(found.at(-1)).toMatchObject({ code: "file/too-many-findings", severity: "error" });
});

test("the members of all families of a file are counted together", () => {
  const values = (n: number): string => Array.from({ length: n }, (_, i) => i + 1).join(" | ");
  const family = (name: string, [encoder, decoder]: readonly [number, number]) =>
    `variants ${name} of Mae {\n  encoder.depth = ${values(encoder)}\n  decoder.depth = ${values(decoder)}\n}\n`;
  const found = check([mae, family("A", [40, 50]), family("B", [100, 81]), family("C", [2, 2])].join("\n"));
  expect(found.map(({ code, message }) => [code, message])).toEqual([
    ["check/family-too-large", "the family has 8100 members, and the families above leave 8000 of the 10000 of a file"],
  ]);
});
