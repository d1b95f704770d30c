/** Texts with a cursor, written `<|>`, and the examples with what lies around them. */

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Registry, registry } from "../../blocks/index.js";
import type { Surroundings } from "../../editor/index.js";
import { type File, parse, type Source } from "../../grammar/index.js";

const mark = "<|>";

export interface Cursor {
  readonly source: Source;
  readonly offset: number;
}

/** A text without its mark, and where that stood. */
export function cursorIn(text: string, path = "model.mae"): Cursor {
  const offset = text.indexOf(mark);
  if (offset < 0) throw new Error(`no ${mark} in the text`);
  return { source: { path, text: text.slice(0, offset) + text.slice(offset + mark.length) }, offset };
}

/** A text that stands alone, or beside other files. */
export const beside = (files: Readonly<Record<string, string>> = {}, blocks: Registry = registry): Surroundings => ({
  registry: blocks,
  imported(from, path) {
    const name = posix.join(posix.dirname(from.path), path);
    const text = files[name];
    return text === undefined ? null : parse({ path: name, text }).file;
  },
  home: () => null,
});

const folder = join(import.meta.dirname, "../../examples");

/** The examples, by their path in the folder; those of a project with blocks of its own are left out. */
export const examples: readonly Source[] = readdirSync(folder)
  .filter((path) => path.endsWith(".mae"))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));

const trees = new Map<string, File>(examples.map((source) => [source.path, parse(source).file]));

export const besideExamples: Surroundings = {
  registry,
  imported: (from, path) => trees.get(posix.join(posix.dirname(from.path), path)) ?? null,
  home: () => null,
};
