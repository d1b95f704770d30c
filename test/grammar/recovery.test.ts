/** Each mistake is reported once, where it is, whatever stands around it; and its fix, where it has one, mends it. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Diagnostic, type File, type Fix, format, parse, positionAt } from "../../grammar/index.js";
import { Parser } from "../../grammar/parser.js";
import { runs } from "../support/fuzz.js";
import { examples, spec } from "./examples.js";

/** Lines of a model with one mistake each, and its code without `parse/`. */
const mistakes: readonly (readonly [line: string, code: string])[] = [
  ["encoder vit(depth: 12", "unclosed-parenthesis"],
  ["encoder vit(depth: (1, 2)", "unclosed-parenthesis"],
  ["encoder vit(depth: [1, 2)", "unclosed-bracket"],
  ["encoder vit(depth: 12))", "unmatched-bracket"],
  ["encoder vit(depth: [1, 2), width: 3)", "mismatched-bracket"],
  ["encoder vit(depth: , width: 3)", "missing-value"],
  ["encoder vit(depth:)", "missing-value"],
  ["encoder vit(depth: 12 width: 3)", "missing-comma"],
  ["encoder vit(depth = 12)", "unexpected-token"],
  ["encoder vit(depth 12)", "unexpected-token"],
  ["encoder vit(depth: 1 | 2)", "unexpected-token"],
  ["encoder vit(depth: 1..2..3)", "unexpected-token"],
  ["encoder vit depth: 12", "unexpected-token"],
  ["encoder: vit(depth: 12)", "unexpected-token"],
  ["encoder = vit(depth: 12)", "unexpected-token"],
  ["encoder vit(depth: 12) 75%", "unexpected-token"],
  ["= 12", "unexpected-token"],
  ["12", "unexpected-token"],
  ['"text"', "unexpected-token"],
  ["encoder", "missing-value"],
  ["encoder audio:", "missing-value"],
  ["probe knn every", "missing-value"],
  ["set encoder.depth:", "missing-value"],
  ["set encoder.depth", "unexpected-token"],
  ["set", "expected-name"],
  ["add", "expected-name"],
  ["replace", "expected-name"],
  ["remove", "expected-name"],
  ["set encoder.: 5", "expected-name"],
  ["let r", "unexpected-token"],
  ["let r = ", "missing-value"],
  ["let 5 = 3", "unexpected-token"],
  ['data folder("train)', "unterminated-string"],
  ['data folder("tr\\ain")', "invalid-escape"],
  ["batch 4_096", "invalid-number"],
  ["batch b(c: 1.2.3)", "invalid-number"],
  ["batch $", "invalid-character"],
  ["batch @b(c: 1)", "invalid-character"],
  ["loss smooth-l1(beta: 1)", "invalid-character"],
  ["größe b", "invalid-character"],
  ["loss mse;", "invalid-character"],
  ["loss mse # note", "invalid-character"],
  ["data folder(“train”)", "invalid-character"],
  ["vit(depth: 12)", "missing-slot"],
  ["loss mse decoder vit(depth: 1)", "missing-line-break"],
  ["loss mse /* open", "unterminated-comment"],
];

const correct = [
  "tokens patch(size: 16x16)",
  "loss mse(on: hidden)",
  "batch 4096",
  "remove decoder",
  "set a.b: 1",
  "// note",
];

function findings(text: string): string[] {
  return parse(spec(text)).diagnostics.map(({ code, span }) => `${positionAt(span.source, span.start).line} ${code}`);
}

function entryCount(file: File): number {
  const [model] = file.declarations;
  return model?.kind === "model" ? model.entries.length : -1;
}

describe("mistakes", () => {
  it.each(mistakes)("%s gives %s", (line, code) => {
    const text = `model A {\n  loss mse\n  ${line}\n  loss l1(on: hidden)\n}\n\nmodel B {\n  loss mse\n}\n`;
    expect(findings(text)).toEqual([`3 parse/${code}`]);
    const { file } = parse(spec(text));
    expect(file.declarations.map((declaration) => declaration.name?.name)).toEqual(["A", "B"]);
    expect(entryCount(file)).toBeGreaterThanOrEqual(2);
  });

  it("are all reported, each once, in any order and number", () => {
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom(...mistakes),
        fc.constantFrom(...correct).map((line) => [line, null] as const),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(lines, (body) => {
        const text = `model A {\n${body.map(([line]) => `  ${line}\n`).join("")}}\n`;
        const planted = body.flatMap(([, code], i) => (code === null ? [] : [`${i + 2} parse/${code}`]));
        expect(findings(text)).toEqual(planted);
      }),
      { numRuns: runs(300) },
    );
  });

  it("outside of bodies do not hide what follows", () => {
    const text = [
      "editon 2026",
      "modle A {",
      "  a b(c: )",
      "}",
      "recipe for Mae {",
      "  a b(c: )",
      "}",
      "model B extends {",
      "  a b(c: )",
      "",
      "variants V {",
      "  a = 1 | | 2",
      "}",
      "} ",
      "pipeline P",
      "  stage s = of",
      "}",
    ].join("\n");
    expect(findings(text)).toEqual([
      "1 parse/unknown-declaration",
      "2 parse/unknown-declaration",
      "3 parse/missing-value",
      "5 parse/expected-name",
      "6 parse/missing-value",
      "8 parse/expected-name",
      "8 parse/unclosed-brace",
      "9 parse/missing-value",
      "11 parse/unexpected-token",
      "12 parse/missing-value",
      "14 parse/unmatched-bracket",
      "15 parse/missing-body",
      "16 parse/unexpected-token",
    ]);
  });
});

function applied(text: string, fix: Fix): string {
  const edits = [...fix.edits].sort((a, b) => b.span.start - a.span.start);
  return edits.reduce((done, { span, text: by }) => done.slice(0, span.start) + by + done.slice(span.end), text);
}

describe("conditions", () => {
  it.each([
    ["skip", "unexpected-token"],
    ["skip when", "missing-value"],
    ["skip when a is", "missing-value"],
    ["skip when a is b and", "missing-value"],
    ["skip when a is b or )", "unmatched-bracket"],
    ["skip when (a is b", "unclosed-parenthesis"],
    ["skip when (a is b, c)", "unexpected-token"],
    ["skip when ()", "missing-value"],
    ["skip when a", "unexpected-token"],
    ["skip when a = b", "unexpected-token"],
    ["skip when a is b c", "unexpected-token"],
    ["skip when > 3", "unexpected-token"],
  ])("%s gives %s", (line, code) => {
    expect(findings(`variants V of A {\n  ${line}\n  a = 1 | 2\n}\n`)).toEqual([`2 parse/${code}`]);
  });
});

describe("fixes", () => {
  const root = fileURLToPath(new URL("../../spec/conformance/", import.meta.url));
  const inputs = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => [name, readFileSync(`${root}${name}/input.mae`, "utf8")] as const);
  const fixable = inputs.flatMap(([name, text]) =>
    parse(spec(text)).diagnostics.flatMap((diagnostic) => (diagnostic.fix ? [{ name, text, diagnostic }] : [])),
  );

  it("exist for many mistakes", () => expect(fixable.length).toBeGreaterThan(30));

  it.each(fixable)("$diagnostic.message ($name)", ({ text, diagnostic }) => {
    const before = parse(spec(text)).diagnostics;
    const after = parse(spec(applied(text, diagnostic.fix as Fix))).diagnostics;
    const { code, span } = diagnostic;
    expect(after.filter((left) => left.code === code && left.span.start === span.start)).toEqual([]);
    expect(after.length).toBeLessThanOrEqual(before.length);
  });
});

describe("reports", () => {
  it("say where the other half of the mistake is", () => {
    const find = (text: string): Diagnostic => parse(spec(text)).diagnostics[0] as Diagnostic;
    const opened = find("model A {\n  a b(c: [1, 2), d: 1)\n}\n");
    expect(opened.related?.[0]?.span.start).toBe(19);
    const unclosed = find("model A {\n  a b(c: 1\n  d e\n}\n");
    expect(unclosed.span.start).toBe(15);
    expect(unclosed.related?.[0]?.span.start).toBe(23);
    const twice = find("edition 2026\nedition 2026\n");
    expect(twice.related?.[0]?.span).toMatchObject({ start: 0, end: 12 });
  });

  it("offer the word that was meant", () => {
    for (const [written, meant] of [
      ["modle", "model"],
      ["Recipe", "recipe"],
      ["varients", "variants"],
      ["pipline", "pipeline"],
    ]) {
      const [found] = parse(spec(`${written} A {\n}\n`)).diagnostics;
      expect(found?.help).toContain(`\`${meant}\``);
      expect(found?.fix?.edits[0]?.text).toBe(meant);
    }
  });

  it("stand in the order of the text", () => {
    for (const [name] of mistakes.slice(0, 5)) {
      const starts = parse(spec(`${name}\nmodel A {\n$\n a b(c: )\n`)).diagnostics.map(({ span }) => span.start);
      expect(starts).toEqual([...starts].sort((a, b) => a - b));
    }
  });
});

describe("extremes", () => {
  it.each(["(", "[", "{", "a(", "a(b: ", "(]", "a {\n", "model A {\n"])("10,000 times %s", (part) => {
    for (const prefix of ["", "model A {\n  a ", "variants V of A {\n  skip when "]) {
      const { diagnostics } = parse(spec(prefix + part.repeat(10_000)));
      expect(diagnostics.length).toBeGreaterThan(0);
    }
  });

  it("reports brackets that stand too deep once, also when all are closed", () => {
    const deep = (count: number) => `model A {\n  a b: ${"(".repeat(count)}1${")".repeat(count)}\n  c d(e: )\n}\n`;
    expect(findings(deep(10_000))).toEqual(["2 parse/too-deep", "3 parse/missing-value"]);
    expect(findings(deep(60))).toEqual(["3 parse/missing-value"]);
  });

  it("reports a condition of too many parts", () => {
    const text = `variants V of A {\n  skip when ${Array(10_000).fill("a is b").join(" and ")}\n  skip when a\n}\n`;
    expect(findings(text)).toEqual(["2 parse/too-deep", "3 parse/unexpected-token"]);
  });

  it("reads and formats 5,000 lines", () => {
    const text = `model A {\n${"  encoder vit(depth: 12, width: 768, heads: 12)\n".repeat(5_000)}}\n`;
    expect(entryCount(parse(spec(text)).file)).toBe(5_000);
    expect(format(spec(text)).text).toBe(text);
  });
});

describe("the rules of the parser", () => {
  it("have no ambiguity that no gate decides", () => {
    expect(() => new Parser(true)).not.toThrow();
  });

  it("read all examples alike with and without their validation", () => {
    for (const example of examples) expect(parse(example).diagnostics).toEqual([]);
  });
});
