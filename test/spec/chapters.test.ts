/** The examples in the chapters of the specification are correct and in the one format. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { format } from "../../grammar/index.js";

const folder = fileURLToPath(new URL("../../spec/", import.meta.url));
const chapters = readdirSync(folder).filter((name) => /^\d\d-.*\.md$|^README\.md$/.test(name));

describe("chapters", () => {
  it.each(chapters)("%s", (name) => {
    const page = readFileSync(`${folder}${name}`, "utf8");
    for (const [, text = ""] of page.matchAll(/```mae\n(.*?)```/gs)) {
      expect(format({ path: name, text })).toEqual({ text, diagnostics: [] });
    }
    for (const [, path = ""] of page.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      expect([path, existsSync(fileURLToPath(new URL(`../../spec/${path}`, import.meta.url)))]).toEqual([path, true]);
    }
  });
});
