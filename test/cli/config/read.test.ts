/** `mae.config.json` as text: its pages give what they say, its schema says what the reader says, JSON is read as JSON. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { configCodes } from "../../../cli/config/codes.js";
import { isMistake, readJson } from "../../../cli/config/json.js";
import { readConfig } from "../../../cli/config/read.js";
import { lintCodes } from "../../../compiler/index.js";
import { runs } from "../../support/fuzz.js";
import { folder } from "../mae.js";

const root = join(import.meta.dirname, "../../..");
const pages = join(root, "spec/diagnostics");
const project = folder({ "project/blocks/checker.ts": "", "other/checker.ts": "" });

const codesOf = (text: string): readonly string[] =>
  readConfig(join(project, "project/mae.config.json"), text).findings.map(({ code }) => code);

describe("pages", () => {
  const pagesOf = (shelf: string) =>
    readdirSync(join(pages, shelf))
      .map((name) => `${shelf}/${name.replace(".md", "")}`)
      .sort();

  it("are as many as the codes", () => {
    expect([...pagesOf("block"), ...pagesOf("config")]).toEqual(Object.keys(configCodes).sort());
  });

  it.each(pagesOf("config"))("%s shows a text with the finding and one without", (code) => {
    const page = readFileSync(join(pages, `${code}.md`), "utf8");
    expect(page.startsWith(`# ${code}\n\n`)).toBe(true);
    const [wrong, right, ...more] = Array.from(page.matchAll(/```json\n(.*?)```/gs), ([, text]) => text as string);
    expect(more).toEqual([]);
    expect([...new Set(codesOf(wrong as string))]).toEqual([code]);
    expect(codesOf(right as string)).toEqual([]);
  });
});

describe("the schema", () => {
  const schema = JSON.parse(readFileSync(join(root, "spec/mae.config.schema.json"), "utf8")) as object;
  const validate = new Ajv2020().compile(schema);

  it.each([
    {},
    { blocks: [] },
    { blocks: ["./blocks/checker.ts"] },
    { blocks: ["blocks/checker.ts"], $schema: "x.json" },
    { block: [] },
    { blocks: "./blocks/checker.ts" },
    { blocks: [1] },
    { blocks: ["/blocks/checker.ts"] },
    { blocks: ["~/checker.ts"] },
    { blocks: ["https://example.com/checker.ts"] },
    { blocks: ["./blocks/checker.py"] },
    { blocks: ["./blocks/checker.cjs"] },
    { blocks: ["blocks\\checker.ts"] },
    { blocks: ["./blocks/checker.ts", "./blocks/checker.ts"] },
    { $schema: 1 },
    { lint: {} },
    { lint: { "lint/long-warmup": "off", "lint/no-warmup": "error" } },
    { lint: { "lint/long-warmup": "loud" } },
    { lint: { "lint/long-warmup": 2 } },
    { lint: { "lint/longwarmup": "off" } },
    { lint: { "check/unknown-block": "off" } },
    { lint: ["lint/long-warmup"] },
    [],
    null,
  ])("agrees with the reader on %j", (value) => {
    expect(validate(value)).toBe(codesOf(JSON.stringify(value)).length === 0);
  });
});

test("the schema names every code of advice", () => {
  const { properties } = JSON.parse(readFileSync(join(root, "spec/mae.config.schema.json"), "utf8"));
  expect(properties.lint.propertyNames.enum).toEqual([...lintCodes].sort());
});

describe("JSON", () => {
  it("is read as JSON.parse reads it, with every value in its place", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const read = readJson({ path: "a.json", text: ` ${text}\n` });
        expect(isMistake(read)).toBe(false);
        expect(text).toBe(` ${text}`.slice(read.span.start, read.span.end));
      }),
    );
  });

  it("refuses what JSON.parse refuses, and never throws", () => {
    const broken = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, more]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + more + text.slice(place + more.length);
    });
    fc.assert(
      fc.property(broken, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(isMistake(readJson({ path: "a.json", text }))).toBe(!isJson);
      }),
      { numRuns: runs(500) },
    );
  });

  it("points at the first mistake", () => {
    const text = '{ "blocks": ["a.ts",] }';
    expect(readJson({ path: "a.json", text })).toMatchObject({ span: { start: text.indexOf("]") } });
  });
});
