/** Reporters on findings made by hand: what each writes, and what it must not let through. */

import { describe, expect, it } from "vitest";
import { type CheckReport, reporters } from "../../cli/report/index.js";
import { plainColors } from "../../cli/words/terminal.js";
import type { Diagnostic, Source } from "../../grammar/index.js";
import { sarifValidator } from "./sarif-schema.js";

const medium = { colors: plainColors(), width: 100 };

const source = (text: string, path = "models/a.mae"): Source => ({ path, text });

const spanOf = (from: Source, words: string) => {
  const start = from.text.indexOf(words);
  return { source: from, start, end: start + words.length };
};

const report = (diagnostics: readonly Diagnostic[], more: Partial<CheckReport> = {}): CheckReport => ({
  version: "0.1.0",
  files: [...new Set(diagnostics.map((d) => d.span.source.path))],
  diagnostics,
  limit: null,
  strict: false,
  fixed: 0,
  milliseconds: 12,
  ...more,
});

const text = source(
  "edition 2026\n\nmodel A {\n  input   image(size: 224x224)\n  tokens  patch(size: 15x15)\n  encoder vitt(depth: 12)\n}\n",
);

const unknown: Diagnostic = {
  code: "check/unknown-block",
  severity: "error",
  span: spanOf(text, "vitt"),
  message: "no encoder is called `vitt`",
  reason: "A name must be one of the vocabulary.",
  help: "did you mean `vit`?",
  fix: { title: "Replace with `vit`", edits: [{ span: spanOf(text, "vitt"), text: "vit" }] },
};

const indivisible: Diagnostic = {
  code: "tokens/patch/divides",
  severity: "error",
  span: spanOf(text, "15x15"),
  message: "224 is not divisible by 15",
  related: [{ span: spanOf(text, "224x224"), message: "the size is set here" }],
};

describe("pretty", () => {
  it("shows of a change only the lines that differ", () => {
    const line = "  tokens  patch(size: 15x15)\n";
    const removed = { ...indivisible, fix: { title: "Remove it", edits: [{ span: spanOf(text, line), text: "" }] } };
    const shown = reporters.pretty(report([removed]), medium);
    expect(shown).toContain("(mae check --fix)\n      -   tokens  patch(size: 15x15)\n  = more");
  });

  it("shows the place, the reason, the help and the change", () => {
    const lines = reporters.pretty(report([unknown]), medium).split("\n");
    expect(lines).toEqual([
      "error[check/unknown-block]: no encoder is called `vitt`",
      "  --> models/a.mae:6:11",
      "   │",
      " 4 │   input   image(size: 224x224)",
      " 5 │   tokens  patch(size: 15x15)",
      " 6 │   encoder vitt(depth: 12)",
      "   │           ^^^^",
      " 7 │ }",
      " 8 │",
      "   │",
      "  = why: A name must be one of the vocabulary.",
      "  = help: did you mean `vit`?",
      "  = fix: Replace with `vit` (mae check --fix)",
      "      -   encoder vitt(depth: 12)",
      "      +   encoder vit(depth: 12)",
      "  = more: mae explain check/unknown-block",
      "",
      "✗ 1 file checked in 12 ms: 1 error",
      "",
    ]);
  });

  it("labels related places in the same frame and in a frame of their own", () => {
    const other = source("edition 2026\nmodel B {}\n", "b.mae");
    const both: Diagnostic = {
      ...indivisible,
      related: [...(indivisible.related ?? []), { span: spanOf(other, "B"), message: "inherited from here" }],
    };
    const out = reporters.pretty(report([both]), medium);
    expect(out).toContain(
      " 4 │   input   image(size: 224x224)\n   │                       ------- the size is set here",
    );
    expect(out).toContain(":::");
    expect(out).toContain("b.mae:2:7");
    expect(out).toContain(" 2 │ model B {}\n   │       - inherited from here");
  });

  it("never lets control characters of a spec reach the terminal", () => {
    const evil = source("model \u001b[31m\u0007 A\u202e {}\n");
    const out = reporters.pretty(
      report([{ code: "a/b", severity: "error", span: spanOf(evil, "A"), message: "bad \u001b[2J\u009b name" }]),
      medium,
    );
    expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\u202e/u);
    expect(out).toContain("␛");
  });

  it("aligns carets under wide characters and after tabs", () => {
    const wide = source('\tname "日本語🎉é" vitt\n');
    const out = reporters.pretty(
      report([{ code: "a/b", severity: "error", span: spanOf(wide, "vitt"), message: "m" }]),
      medium,
    );
    // Two for the tab; `name "` 6; three wide characters 6; emoji 2; é 1; `" ` 2.
    expect(out).toContain(`   │ ${" ".repeat(19)}^^^^\n`);
  });

  it("cuts long lines around the place and tall spans in the middle", () => {
    const long = source(`${"x".repeat(50_000)} here ${"y".repeat(50_000)}\n${"line\n".repeat(500)}`);
    const findings: Diagnostic[] = [
      { code: "a/long", severity: "error", span: spanOf(long, "here"), message: "m" },
      { code: "a/tall", severity: "error", span: { source: long, start: 0, end: long.text.length }, message: "m" },
    ];
    const out = reporters.pretty(report(findings), medium);
    expect(out).toContain("^^^^");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThan(120);
    expect(out.split("\n").length).toBeLessThan(60);
  });

  it("marks an empty span at the end of the text", () => {
    const short = source("model A {");
    const end = { source: short, start: 9, end: 9 };
    const out = reporters.pretty(report([{ code: "a/b", severity: "error", span: end, message: "m" }]), medium);
    expect(out).toContain(" 1 │ model A {\n   │          ^\n");
  });

  it("says how many findings it left out, and counts them all", () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ ...unknown, message: `finding ${i}` }));
    const out = reporters.pretty(report(many), medium);
    expect(out).toContain("10 more findings not shown; --max-diagnostics 60 shows all");
    expect(out).toContain("60 errors");
  });

  it("is not alone in saying so: every reporter has its limit and tells of it in its form", () => {
    const many = report(Array.from({ length: 1003 }, (_, i) => ({ ...unknown, message: `finding ${i}` })));
    const told = "3 more findings not shown; --max-diagnostics 1003 shows all";
    const github = reporters.github(many, medium).trimEnd().split("\n");
    expect([github.length, github.at(-1)]).toEqual([1001, `::notice::${told}`]);
    const json = JSON.parse(reporters.json(many, medium));
    expect([json.diagnostics.length, json.omitted_count, json.error_count]).toEqual([1000, 3, 1003]);
    const log = JSON.parse(reporters.sarif(many, medium));
    expect(sarifValidator()(log)).toBe(true);
    expect(log.runs[0].results).toHaveLength(1000);
    expect(log.runs[0].invocations[0].toolExecutionNotifications[0].message.text).toBe(told);
  });

  it("passes with warnings unless they count as errors", () => {
    const warning: Diagnostic = { ...unknown, severity: "warning" };
    expect(reporters.pretty(report([warning]), medium)).toContain("✓ 1 file checked in 12 ms: no errors, 1 warning");
    expect(reporters.pretty(report([warning], { strict: true }), medium)).toContain("✗");
  });
});

describe("json", () => {
  it("is one document with every place in lines, columns and offsets", () => {
    const document = JSON.parse(reporters.json(report([indivisible, unknown]), medium));
    expect(document).toMatchObject({
      format_version: "1.0",
      valid: false,
      error_count: 2,
      warning_count: 0,
      omitted_count: 0,
      files: ["models/a.mae"],
    });
    expect(document.diagnostics[1]).toEqual({
      severity: "error",
      code: "check/unknown-block",
      message: "no encoder is called `vitt`",
      reason: "A name must be one of the vocabulary.",
      help: "did you mean `vit`?",
      path: "models/a.mae",
      range: { start: { line: 6, column: 11, offset: 94 }, end: { line: 6, column: 15, offset: 98 } },
      related: [],
      fix: {
        title: "Replace with `vit`",
        edits: [
          {
            path: "models/a.mae",
            range: { start: { line: 6, column: 11, offset: 94 }, end: { line: 6, column: 15, offset: 98 } },
            text: "vit",
          },
        ],
      },
    });
  });

  it("gives every finding the same keys", () => {
    const { diagnostics } = JSON.parse(reporters.json(report([indivisible, unknown]), medium));
    expect(Object.keys(diagnostics[0])).toEqual(Object.keys(diagnostics[1]));
  });
});

describe("sarif", () => {
  const validate = sarifValidator();
  const check = (findings: readonly Diagnostic[]) => {
    const document = JSON.parse(reporters.sarif(report(findings), medium));
    expect(validate(document), JSON.stringify(validate.errors, null, 1)).toBe(true);
    return document.runs[0];
  };

  it("is held to a schema that refuses what is wrong", () => {
    expect(validate({ version: "2.1.0", runs: [{ tool: {} }] })).toBe(false);
  });

  it("conforms to the official schema, with and without findings", () => {
    check([]);
    const run = check([indivisible, unknown, { ...unknown, severity: "warning", code: "lint/x" }]);
    expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual([
      "check/unknown-block",
      "lint/x",
      "tokens/patch/divides",
    ]);
    expect(run.results.map((r: { ruleId: string; ruleIndex: number }) => [r.ruleId, r.ruleIndex])).toEqual([
      ["tokens/patch/divides", 2],
      ["check/unknown-block", 0],
      ["lint/x", 1],
    ]);
    expect(run.results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: "models/a.mae", uriBaseId: "%SRCROOT%" },
      region: { startLine: 5, startColumn: 23, endLine: 5, endColumn: 28, charOffset: 77, charLength: 5 },
    });
    expect(run.results[0].relatedLocations[0].message.text).toBe("the size is set here");
    expect(run.results[1].fixes[0].artifactChanges[0].replacements[0].insertedContent.text).toBe("vit");
  });

  it("writes addresses for any path", () => {
    const strange = (path: string): Diagnostic => ({ ...unknown, span: spanOf(source("vitt", path), "vitt") });
    const run = check([strange("a b/ü#1%.mae"), strange("../outside.mae")]);
    const locations = run.results.map(
      (r: { locations: { physicalLocation: { artifactLocation: { uri: string; uriBaseId?: string } } }[] }) =>
        r.locations[0]?.physicalLocation.artifactLocation,
    );
    expect(locations[0]).toEqual({ uri: "a%20b/%C3%BC%231%25.mae", uriBaseId: "%SRCROOT%" });
    expect(locations[1].uri).toMatch(/^file:\/\/\/.*\/outside\.mae$/);
    expect(locations[1].uriBaseId).toBeUndefined();
  });

  it("says the same about the same files", () => {
    expect(reporters.sarif(report([unknown], { milliseconds: 1 }), medium)).toBe(
      reporters.sarif(report([unknown], { milliseconds: 2 }), medium),
    );
  });
});

describe("github", () => {
  it("writes one command a finding", () => {
    expect(reporters.github(report([unknown]), medium)).toBe(
      "::error file=models/a.mae,line=6,endLine=6,col=11,endColumn=15,title=check/unknown-block" +
        "::no encoder is called `vitt`%0AA name must be one of the vocabulary.%0Adid you mean `vit`?\n",
    );
  });

  it("escapes what would end a property, a command or a line", () => {
    const evil: Diagnostic = {
      code: "a/b",
      severity: "warning",
      span: spanOf(source("x", "a,b:c%d\n.mae"), "x"),
      message: "50% \r\n::error::gotcha \u001b[31m\u202e",
    };
    expect(reporters.github(report([evil]), medium)).toBe(
      "::warning file=a%2Cb%3Ac%25d%0A.mae,line=1,endLine=1,col=1,endColumn=2,title=a/b::50%25 %0D%0A::error::gotcha \u241b[31m\ufffd\n",
    );
  });

  it("leaves columns out where a finding spans lines", () => {
    const tall: Diagnostic = { ...unknown, severity: "info", span: { source: text, start: 0, end: 20 } };
    expect(reporters.github(report([tall]), medium)).toMatch(/^::notice file=models\/a.mae,line=1,endLine=3,title=/);
  });
});
