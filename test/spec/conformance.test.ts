/**
 * Runs the conformance suite of the language, `spec/conformance`, against this implementation. `UPDATE=1` rewrites what
 * is expected; read the difference before committing it.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { format, outline, parse, positionAt, type Source } from "../../grammar/index.js";

const root = fileURLToPath(new URL("../../spec/conformance/", import.meta.url));
const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());

function findings(source: Source): string {
  return parse(source)
    .diagnostics.map(({ code, severity, span }) => {
      const { line, column } = positionAt(source, span.start);
      return `${line}:${column} ${severity} ${code}\n`;
    })
    .join("");
}

function compare(path: string, found: string): void {
  if (process.env.UPDATE === "1") writeFileSync(path, found);
  expect(found).toBe(readFileSync(path, "utf8"));
}

describe("conformance", () => {
  it.each(folders.map((folder) => folder.name))("%s", (name) => {
    const folder = `${root}${name}/`;
    const source = { path: `${name}/input.mae`, text: readFileSync(`${folder}input.mae`, "utf8") };
    compare(`${folder}tree.txt`, outline(parse(source).file));
    const found = findings(source);
    const path = `${folder}diagnostics.txt`;
    if (found === "" && process.env.UPDATE === "1") rmSync(path, { force: true });
    if (found === "") expect(existsSync(path)).toBe(false);
    else compare(path, found);
    if (existsSync(`${folder}formatted.mae`)) compare(`${folder}formatted.mae`, format(source).text);
  });

  it("has a case for every code of the parser", () => {
    const pages = readdirSync(fileURLToPath(new URL("../../spec/diagnostics/parse/", import.meta.url)));
    const shown = folders.flatMap(({ name }) => {
      const path = `${root}${name}/diagnostics.txt`;
      return existsSync(path) ? Array.from(readFileSync(path, "utf8").matchAll(/parse\/([a-z-]+)/g), (m) => m[1]) : [];
    });
    expect([...new Set(shown)].sort()).toEqual(pages.map((page) => page.replace(".md", "")).sort());
  });
});
