/** Every block has a page in `spec/blocks/` that says what the definition says, and an example that is free of errors. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Definition, registry } from "../../blocks/index.js";
import { analyze, parameterTable } from "../../compiler/index.js";

const folder = new URL("../../spec/blocks/", import.meta.url);
const blocks = Object.entries(registry).flatMap(([kind, list]) =>
  (list as readonly Definition[]).map((block) => ({ kind, name: block.name, block })),
);

const pageOf = (kind: string, name: string): URL => new URL(`${kind}/${name}.md`, folder);

const markers = /(<!-- parameters -->\n)[\s\S]*?(<!-- \/parameters -->)/;

const examplesIn = (page: string): readonly string[] =>
  Array.from(page.matchAll(/```mae\n([\s\S]*?)```/g), ([, text]) => text as string);

test("there is no page without its block", () => {
  for (const kind of readdirSync(folder)) {
    const pages = readdirSync(new URL(`${kind}/`, folder)).map((file) => file.replace(/\.md$/, ""));
    const names = blocks.filter((block) => block.kind === kind).map(({ name }) => name);
    expect(names, kind).toEqual(expect.arrayContaining(pages));
  }
});

describe.each(blocks)("the page of $kind/$name", ({ kind, name, block }) => {
  const url = pageOf(kind, name);
  const read = (): string => readFileSync(url, "utf8");

  test("is there, with title, summary and source", () => {
    expect(existsSync(url)).toBe(true);
    const [title, empty, summary] = read().split("\n");
    expect([title, empty]).toEqual([`# ${kind}/${name}`, ""]);
    expect(summary?.startsWith(block.summary), summary).toBe(true);
    expect(read().trimEnd().split("\n").at(-1)).toBe(`Source: ${block.source}.`);
  });

  test("has the table of its parameters", () => {
    const page = read();
    expect(page).toMatch(markers);
    const expected = page.replace(markers, (_, begin, end) => `${begin}\n${parameterTable(block)}\n\n${end}`);
    if (process.env.UPDATE && expected !== page) writeFileSync(url, expected);
    expect(read()).toBe(expected);
  });

  test("names every condition by the code of its diagnostic", () => {
    const page = read();
    for (const condition of block.requires ?? []) expect(page).toContain(`\`${kind}/${name}/${condition.name}\``);
  });

  test("has an example without an error that uses the block", () => {
    const examples = examplesIn(read());
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.some((text) => new RegExp(`\\b${name}\\b`).test(text))).toBe(true);
    for (const text of examples) {
      const { diagnostics } = analyze({ path: "example.mae", text }, { readText: () => null }, registry);
      expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([]);
    }
  });
});
