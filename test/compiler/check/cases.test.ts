/** Every mistake of `cases/`: what is said of it, that a fix mends it, and that nothing else is said. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Analysis, analyze } from "../../../compiler/index.js";
import type { Diagnostic } from "../../../grammar/index.js";
import { applied, showDiagnostic } from "./show.js";
import { vocabulary } from "./vocabulary.js";

const folder = join(import.meta.dirname, "cases");
const cases = readdirSync(folder);

function check(name: string, text: string): Analysis {
  const readText = (path: string): string | null => {
    const file = join(folder, name, path);
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  };
  return analyze({ path: "input.mae", text }, { readText }, vocabulary);
}

const count = (diagnostics: readonly Diagnostic[], { code, message }: Diagnostic): number =>
  diagnostics.filter((other) => other.code === code && other.message === message).length;

describe.each(cases)("%s", (name) => {
  const text = readFileSync(join(folder, name, "input.mae"), "utf8");
  const { diagnostics } = check(name, text);

  test("is told as in diagnostics.txt", () => {
    const golden = join(folder, name, "diagnostics.txt");
    const shown = `${diagnostics.map(showDiagnostic).join("\n\n")}\n`;
    if (process.env.UPDATE) writeFileSync(golden, shown);
    expect(shown).toBe(readFileSync(golden, "utf8"));
  });

  test("is told with reason and help, inside the text", () => {
    expect(diagnostics.length).toBeGreaterThan(0);
    for (const { code, span, reason, help, related } of diagnostics) {
      if (!code.startsWith("parse/")) expect([code, reason, help]).not.toContain(undefined);
      for (const place of [span, ...(related ?? []).map((other) => other.span)]) {
        expect(place.start).toBeLessThanOrEqual(place.end);
        expect(place.end).toBeLessThanOrEqual(place.source.text.length);
      }
    }
  });

  test("is gone after its fix", () => {
    for (const finding of diagnostics) {
      if (!finding.fix || finding.span.source.path !== "input.mae") continue;
      const after = check(name, applied(text, finding.fix)).diagnostics;
      expect(count(after, finding), finding.message).toBeLessThan(count(diagnostics, finding));
      const parse = (all: readonly Diagnostic[]): number => all.filter(({ code }) => code.startsWith("parse/")).length;
      expect(parse(after), finding.message).toBeLessThanOrEqual(parse(diagnostics));
    }
  });
});

test("there are at least forty distinct mistakes", () => {
  const codes = new Set(
    cases.flatMap((name) =>
      check(name, readFileSync(join(folder, name, "input.mae"), "utf8")).diagnostics.map(({ code }) => code),
    ),
  );
  expect(codes.size).toBeGreaterThan(40);
});
