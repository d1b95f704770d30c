/** The reporters of CI systems, each held against the schema of what reads it; evil text stays text. */

import { Ajv } from "ajv";
import ts from "typescript";
import { expect, test } from "vitest";
import { chooseReporter, reporterNames } from "../../cli/arguments.js";
import { type CheckReport, reporters } from "../../cli/report/index.js";
import { plainColors } from "../../cli/words/terminal.js";
import type { Diagnostic, Severity } from "../../grammar/index.js";

const evil = '<script>&"|`**]]>\u0007\u001b[31m\uD800\uFFFF -- x';
const source = { path: "models/a.mae", text: "edition 2026\nmodel A {\n  mask random(ratio: 98%)\n}\n" };

const findingOf = (severity: Severity, message: string): Diagnostic => ({
  code: "lint/extreme-ratio",
  severity,
  span: { source, start: source.text.indexOf("98%"), end: source.text.indexOf("98%") + 3 },
  message,
  reason: "With too little visible there is nothing to learn from.",
  help: `write ${evil}`,
});

const diagnostics = [findingOf("error", "first"), findingOf("warning", evil), findingOf("info", "third\nline")];
const report: CheckReport = {
  version: "0.1.0",
  files: ["models/a.mae", "clean & fine.mae"],
  diagnostics,
  limit: null,
  strict: false,
  fixed: 0,
  milliseconds: 12,
};
const medium = { colors: plainColors(), width: 100 };

test("every reporter can be named, and no other", () => {
  expect([...reporterNames].sort()).toEqual(Object.keys(reporters).sort());
  for (const name of reporterNames) expect(chooseReporter([], name)).toEqual([{ name, file: null }]);
});

test("none lets a terminal's commands through", () => {
  for (const name of reporterNames) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(reporters[name](report, medium), name).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  }
});

/** docs.gitlab.com/ci/testing/code_quality, "Code Quality report format". */
const codeQuality = {
  type: "array",
  items: {
    type: "object",
    required: ["description", "check_name", "fingerprint", "severity", "location"],
    properties: {
      description: { type: "string" },
      check_name: { type: "string" },
      fingerprint: { type: "string", minLength: 1 },
      severity: { enum: ["info", "minor", "major", "critical", "blocker"] },
      location: {
        type: "object",
        required: ["path", "lines"],
        properties: {
          path: { type: "string", pattern: "^(?!\\./|/)" },
          lines: { type: "object", required: ["begin"], properties: { begin: { type: "integer", minimum: 1 } } },
        },
      },
    },
  },
};

test("gitlab writes a Code Quality report, with fingerprints that survive lines above", () => {
  const read = (from: CheckReport) => JSON.parse(reporters.gitlab(from, medium));
  const entries = read({ ...report, diagnostics: [...diagnostics, findingOf("error", "first")] });
  expect(new Ajv().compile(codeQuality)(entries)).toBe(true);
  expect(entries.map((one: { severity: string }) => one.severity)).toEqual(["critical", "minor", "info", "critical"]);
  const prints = entries.map((one: { fingerprint: string }) => one.fingerprint);
  expect(new Set(prints).size).toBe(4);
  const lower = { ...source, text: `// above\n${source.text}` };
  const span = { source: lower, start: lower.text.indexOf("98%"), end: lower.text.indexOf("98%") + 3 };
  const [moved] = read({ ...report, diagnostics: [{ ...findingOf("error", "first"), span }] });
  expect([moved.fingerprint, moved.location.lines.begin]).toEqual([prints[0], 4]);
});

/** Elements of JUnit's schema (github.com/jenkinsci/xunit-plugin, junit-10.xsd) that are written: attributes and children. */
const elements: Readonly<
  Record<string, { needs: readonly string[]; may: readonly string[]; holds: readonly string[] }>
> = {
  testsuites: { needs: [], may: ["name", "tests", "failures", "errors", "time"], holds: ["testsuite"] },
  testsuite: { needs: ["name", "tests"], may: ["failures", "errors", "skipped"], holds: ["testcase"] },
  testcase: { needs: ["name"], may: ["classname", "time"], holds: ["failure", "system-out"] },
  failure: { needs: [], may: ["type", "message"], holds: [] },
  "system-out": { needs: [], may: [], holds: [] },
};

/** XML without comments is JSX to a parser that refuses what is not well formed. */
function parsed(xml: string) {
  const [declaration, ...rest] = xml.split("\n");
  expect(declaration).toBe('<?xml version="1.0" encoding="UTF-8"?>');
  const file = ts.createSourceFile("a.tsx", `(${rest.join("\n")})`, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TSX);
  expect((file as unknown as { parseDiagnostics: unknown[] }).parseDiagnostics).toEqual([]);
  const found: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const visit = (node: ts.Node, parent: string | null): void => {
    const opening = ts.isJsxElement(node) ? node.openingElement : ts.isJsxSelfClosingElement(node) ? node : null;
    let inside = parent;
    if (opening) {
      const name = opening.tagName.getText();
      const attributes = Object.fromEntries(
        opening.attributes.properties.map((one) => {
          const { name, initializer } = one as ts.JsxAttribute;
          return [name.getText(), (initializer as ts.StringLiteral).text];
        }),
      );
      const rule = elements[name];
      expect(Object.keys(attributes)).toEqual(expect.arrayContaining([...(rule?.needs ?? ["no such element"])]));
      expect([...(rule?.needs ?? []), ...(rule?.may ?? [])]).toEqual(expect.arrayContaining(Object.keys(attributes)));
      if (parent) expect(elements[parent]?.holds).toContain(name);
      found.push({ name, attributes, text: node.getText() });
      inside = name;
    }
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(file, null);
  return found;
}

test("junit writes suites whose counts are those of their cases", () => {
  for (const strict of [false, true]) {
    const found = parsed(reporters.junit({ ...report, strict }, medium));
    const count = (name: string) => String(found.filter((one) => one.name === name).length);
    expect(found[0]?.attributes).toMatchObject({ tests: count("testcase"), failures: count("failure") });
    expect([count("testsuite"), count("testcase"), count("failure")]).toEqual(["2", "4", strict ? "2" : "1"]);
  }
});

test("compact writes a line for each finding, markdown a row", () => {
  const lines = reporters.compact(report, medium).trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe("models/a.mae:3:22: error: first [lint/extreme-ratio]");
  const table = reporters.markdown(report, medium).trimEnd().split("\n");
  expect(table[0]).toBe("### ❌ mae check: 1 error, 1 warning in 2 files");
  const rows = table.slice(4);
  expect(rows).toHaveLength(3);
  for (const row of rows) {
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
    expect(row).not.toContain("<script>");
  }
  const clean = { ...report, diagnostics: [] };
  expect(reporters.compact(clean, medium)).toBe("");
  expect(reporters.markdown(clean, medium)).toBe("### ✅ mae check: no errors in 2 files\n");
});
