/** Whose mistake an error is: the place in a block file that its stack leads through. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Source, Span } from "../../grammar/index.js";

/** Calls between a block's code and the operation that refuses its tensors. */
const framesKept = 60;

/** From now on errors know the lines of the TypeScript they come from, and enough of them. */
export function watchErrors(): void {
  process.setSourceMapsEnabled(true);
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, framesKept);
}

/** The innermost place in one of the texts that an error comes through; null: it comes through none. */
export function placeIn(error: unknown, sources: readonly Source[]): Span | null {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const line of stack.split("\n")) {
    const [, where = "", row = "", column = ""] =
      /(?:^|\(|at )((?:file:)?[^():]*\/[^():]+):(\d+):(\d+)\)?$/.exec(line) ?? [];
    if (where === "") continue;
    const path = where.startsWith("file:") ? fileURLToPath(where) : where;
    const source = sources.find((one) => resolve(one.path) === path);
    if (source) return spanAt(source, Number(row), Number(column));
  }
  return null;
}

/** From a line and a column, both counted from 1, to the end of that line. */
function spanAt(source: Source, row: number, column: number): Span {
  const lines = source.text.split("\n");
  const before = lines.slice(0, row - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const line = lines[row - 1] ?? "";
  const start = Math.min(before + column - 1, source.text.length);
  return { source, start, end: Math.max(start, before + line.trimEnd().length) };
}

/** The first line of what was thrown: Node shows the failing line below, and a data worker the whole stack. */
export const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  const [first = ""] = text.split("\n");
  return (
    first
      .trim()
      .replace(/^Error: /, "")
      .replace(/\.$/, "") || "no reason is given"
  );
};
