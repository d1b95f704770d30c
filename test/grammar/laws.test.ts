/** Laws that hold for every text: correct, cut off, or spoilt at random. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { format, outline, type Parsed, parse, type Span } from "../../grammar/index.js";
import { runs } from "../support/fuzz.js";
import { examples, spec } from "./examples.js";

const snippets = [
  ...'(){}[],:=|.%"\\/-><;$é\n\r\t ',
  ...["//", "/*", "*/", "///", "..", "->", '"', "\n\n", "\r\n", "224x224", "75%", "1.5e-4", "1_0", "“x”", "'"],
  ...[
    "model X {\n",
    "model X",
    "let r = ",
    "set a.b: ",
    "every",
    "per",
    "over",
    "is",
    "and",
    "import {",
    "edition 2026\n",
  ],
  ...["encoder vit(depth: 12)\n", "loss mse", "variants V of M {\n", "skip when ", "stage a = R of M", "remove x\n"],
];

interface Change {
  readonly kind: "delete" | "double" | "insert" | "swap" | "cut";
  readonly unit: "character" | "token" | "line";
  readonly at: number;
  readonly length: number;
  readonly snippet: string;
}

const changes = fc.array(
  fc.record<Change>({
    kind: fc.constantFrom("delete", "double", "insert", "swap", "cut"),
    unit: fc.constantFrom("character", "token", "line"),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 4 }),
    snippet: fc.constantFrom(...snippets),
  }),
  { minLength: 1, maxLength: 6 },
);

const splitters = { character: /(?:)/u, token: /(?<=\W)|(?=\W)/, line: /(?<=\n)/ };

function apply(text: string, change: Change): string {
  const parts = text.split(splitters[change.unit]);
  const at = change.at % (parts.length + 1);
  const piece = parts.slice(at, at + change.length);
  const rest = parts.slice(at + change.length);
  const before = parts.slice(0, at);
  switch (change.kind) {
    case "delete":
      return [...before, ...rest].join("");
    case "double":
      return [...before, ...piece, ...piece, ...rest].join("");
    case "insert":
      return [...before, change.snippet, ...piece, ...rest].join("");
    case "swap":
      return [...before, ...rest.slice(0, 1), ...piece, ...rest.slice(1)].join("");
    case "cut":
      return before.join("");
  }
}

const spoilt = fc
  .tuple(fc.constantFrom(...examples), changes)
  .map(([example, list]) => list.reduce((text, change) => apply(text, change), example.text));

const tokens = ["model", "A", "{", "}", "\n", " ", "encoder", "vit", "(", ")", "[", "]", ":", ",", "12", "%", "x", "="];
const words = ["//c\n", "///d\n", "/*e*/", '"s"', "|", "->", "..", "is", "and", "skip", "when", "set", "add", "every"];
const soup = fc.array(fc.constantFrom(...tokens, ...words), { maxLength: 40 }).map((parts) => parts.join(""));

/** Texts that were once formatted to something else. */
const found = ["model A {\n  input image // a\n, /* b */\n}\n"];

/** Every span of a value and of what it holds. */
function spansOf(value: unknown): Span[] {
  if (Array.isArray(value)) return value.flatMap(spansOf);
  if (value === null || typeof value !== "object" || "text" in value) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "span" || key === "unitSpan" ? [inner as Span] : key === "source" ? [] : spansOf(inner),
  );
}

/** What a node holds lies within the node. */
function checkNesting(value: unknown, around: Span | null): void {
  if (Array.isArray(value)) for (const inner of value) checkNesting(inner, around);
  else if (value !== null && typeof value === "object" && !("text" in value)) {
    const span = "span" in value ? (value.span as Span) : around;
    if (span && around && (span.start < around.start || span.end > around.end)) expect(value).toBe("inside its parent");
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "span" && key !== "unitSpan" && key !== "source") checkNesting(inner, span);
    }
  }
}

function checkSpans(parsed: Parsed, text: string): void {
  checkNesting(parsed.file, null);
  for (const { start, end } of [...spansOf(parsed.file), ...spansOf(parsed.diagnostics)]) {
    if (!(start >= 0 && start <= end && end <= text.length)) expect({ start, end }).toBe(`inside 0..${text.length}`);
  }
}

/** Line ends and space at the ends of lines are not the comments' own. */
function commentsOf(parsed: Parsed): string[] {
  return parsed.comments.map((comment) => comment.text.replace(/\r\n?/g, "\n").trimEnd());
}

function codesOf(parsed: Parsed): string[] {
  return parsed.diagnostics.map((diagnostic) => diagnostic.code);
}

function checkFormat(text: string): void {
  const before = parse(spec(text));
  const once = format(spec(text)).text;
  const after = parse(spec(once));
  expect(outline(after.file)).toBe(outline(before.file));
  expect(commentsOf(after)).toEqual(commentsOf(before));
  expect(codesOf(after)).toEqual(codesOf(before));
  expect(format(spec(once)).text).toBe(once);
}

describe("examples", () => {
  it.each(examples)("$path has no finding and is formatted", (example) => {
    expect(parse(example).diagnostics).toEqual([]);
    expect(format(example)).toEqual({ text: example.text, diagnostics: [] });
  });

  it.each(examples)("$path keeps its tree when all space is lost that may be", (example) => {
    const packed = example.text.replace(/\/\/.*|\/\*(?:.|\n)*?\*\/|(?<=[(,[]) +| +(?=[)\]])|(?<=\n) +/g, (found) =>
      found.startsWith("/") ? found : "",
    );
    checkFormat(packed);
    expect(format(spec(packed)).text).toBe(example.text);
  });
});

describe("any text", () => {
  it.each(examples)("every beginning of $path is parsed", ({ text }) => {
    for (let end = 0; end <= text.length; end++) checkSpans(parse(spec(text.slice(0, end))), text.slice(0, end));
  });

  it.each(examples)("beginnings of $path are formatted", ({ text }) => {
    for (let end = 0; end <= text.length; end += 13) checkFormat(text.slice(0, end));
  });

  it("is parsed without a throw, with spans inside the text", () => {
    fc.assert(
      fc.property(fc.oneof(spoilt, soup, fc.string({ unit: "binary" })), (text) => checkSpans(parse(spec(text)), text)),
      { numRuns: runs(800) },
    );
  });

  it("is formatted to the same tree, comments and findings, and a second run changes nothing", () => {
    fc.assert(fc.property(fc.oneof(spoilt, soup), checkFormat), {
      numRuns: runs(400),
      examples: found.map((text) => [text]),
    });
  });

  it("never shows the words of the parsing library", () => {
    fc.assert(
      fc.property(fc.oneof(spoilt, soup), (text) => {
        for (const { message, code } of parse(spec(text)).diagnostics) {
          expect(code).toMatch(/^parse\/[a-z-]+$/);
          expect(message).not.toMatch(/expecting|redundant|EOF|Lookahead|something else/i);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});
