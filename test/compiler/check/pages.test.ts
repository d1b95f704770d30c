/** Every code has a page, every page a code; the first example of a page gives its code, the second gives nothing. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lints, type Registry, registry } from "../../../blocks/index.js";
import { analyze, codes, type NoWeights } from "../../../compiler/index.js";
import type { Diagnostic } from "../../../grammar/index.js";
import { agreement } from "./vocabulary.js";

const folder = join(import.meta.dirname, "../../../spec/diagnostics");
const all = Object.keys(codes);
const blocks: Registry = { ...registry, loss: [...registry.loss, agreement] };

/** An example: its text, and the files that it imports. */
interface Example {
  readonly text: string;
  readonly files: Map<string, string>;
}

/** The fenced texts of a page; a fence with a file's name belongs to the example before it. */
function examplesOf(page: string): readonly Example[] {
  const examples: Example[] = [];
  for (const [, name, text] of page.matchAll(/^```mae(?: (\S+))?\n(.*?)^```$/gms)) {
    if (name === undefined) examples.push({ text: text as string, files: new Map() });
    else examples.at(-1)?.files.set(name, text as string);
  }
  return examples;
}

const check = ({ text, files }: Example): readonly Diagnostic[] =>
  analyze({ path: "main.mae", text }, { readText: (path) => files.get(path) ?? null, weights: noWeights }, blocks)
    .diagnostics;

/** A text is no file of weights; no other file is there. */
const noWeights = (path: string): NoWeights =>
  path.endsWith(".txt") ? { problem: "unreadable", why: "it is text" } : { problem: "missing", why: "it is not there" };

test("every page of the checker is about a code or a lint", () => {
  const pages = ["check", "lint"].flatMap((group) =>
    readdirSync(join(folder, group)).map((file) => `${group}/${file}`),
  );
  expect(pages.map((page) => page.replace(/\.md$/, "")).sort()).toEqual(
    [...all, ...lints.map(({ code }) => code)].sort(),
  );
});

describe.each(all)("%s", (code) => {
  const path = join(folder, `${code}.md`);
  const page = existsSync(path) ? readFileSync(path, "utf8") : "";
  const [failing, corrected, ...more] = examplesOf(page);

  test("has a page with two examples", () => {
    expect(page.split("\n")[0]).toBe(`# ${code}`);
    expect([failing, corrected]).not.toContain(undefined);
    expect(more).toEqual([]);
  });

  test("is given by the first and not by the second", () => {
    expect(check(failing as Example).map((finding) => finding.code)).toContain(code);
    const kinds = check(corrected as Example).filter(({ severity }) => severity !== "info");
    expect(kinds.map((finding) => `${finding.code}: ${finding.message}`)).toEqual([]);
  });
});
