/** Each code of the parser has a page whose first example gives it and whose second is free of findings. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { format, parse } from "../../grammar/index.js";
import { spec } from "./examples.js";

const pages = fileURLToPath(new URL("../../spec/diagnostics/parse/", import.meta.url));
const sources = fileURLToPath(new URL("../../grammar/", import.meta.url));

describe("pages of parse codes", () => {
  it.each(readdirSync(pages))("%s", (name) => {
    const page = readFileSync(`${pages}${name}`, "utf8");
    const code = `parse/${name.replace(".md", "")}`;
    expect(page.startsWith(`# ${code}\n\n`)).toBe(true);
    const [wrong, right, ...more] = Array.from(page.matchAll(/```mae\n(.*?)```/gs), (match) => match[1] as string);
    expect(more).toEqual([]);
    const found = parse(spec(wrong as string)).diagnostics.map((diagnostic) => diagnostic.code);
    expect(found.length).toBeGreaterThan(0);
    expect([...new Set(found)]).toEqual([code]);
    expect(parse(spec(right as string)).diagnostics).toEqual([]);
    expect(format(spec(right as string)).text.replace(/\n\n/g, "\n")).toBe((right as string).replace(/\n\n/g, "\n"));
  });

  it("are as many as the codes in the source", () => {
    const text = readdirSync(sources)
      .map((name) => readFileSync(`${sources}${name}`, "utf8"))
      .join("\n");
    const written = Array.from(text.matchAll(/error\("([a-z-]+)"|"parse\/([a-z-]+)"|: "(un[a-z]+-[a-z]+)",/g));
    const codes = new Set(written.map((match) => match[1] ?? match[2] ?? match[3]));
    expect([...codes].sort()).toEqual(
      readdirSync(pages)
        .map((page) => page.replace(".md", ""))
        .sort(),
    );
  });
});
