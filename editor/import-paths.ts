/** Completion of the path that an import takes from. */

import { posix } from "node:path";
import { parse, type Source, type Span } from "../grammar/index.js";

/** What stands between the quotes of an import's path; null: the offset is not in one. */
export function importPathAt(source: Source, offset: number): Span | null {
  for (const { from } of parse(source).file.imports) {
    if (!from || offset <= from.span.start || from.span.end < offset) continue;
    const { start, end } = from.span;
    const isClosed = end - start > 1 && source.text[end - 1] === '"';
    return isClosed && offset === end ? null : { source, start: start + 1, end: isClosed ? end - 1 : end };
  }
  return null;
}

/** The specs that an import may name, as it writes them: from its own folder outwards. */
export function importPaths({ source }: Span, specs: readonly Source[]): readonly string[] {
  const folder = posix.dirname(source.path);
  const others = specs.flatMap(({ path }) => (path === source.path ? [] : posix.relative(folder, path)));
  const isAbove = (path: string): boolean => path.startsWith("../");
  const depth = (path: string): number => path.split("/").length + (isAbove(path) ? others.length : 0);
  return others
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .map((path) => (isAbove(path) ? path : `./${path}`));
}
