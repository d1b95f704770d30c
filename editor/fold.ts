/** What an editor can fold: braces, the imports, and comments of several lines. */

import { type ModelEntry, type Parsed, positionAt, type Span } from "../grammar/index.js";

/** Lines count from 1. */
export interface Fold {
  readonly kind: "body" | "imports" | "comment";
  readonly first: number;
  /** The last line that is hidden. */
  readonly last: number;
}

/** The folds of a text, in no particular order; each hides one line at least. */
export function folds({ file, comments }: Parsed): readonly Fold[] {
  const bodies = file.declarations.flatMap((declaration) => [
    declaration.span,
    ...(declaration.kind === "model" || declaration.kind === "recipe" ? bracesIn(declaration.entries) : []),
  ]);
  const imports = file.imports.map(({ span }) => span);
  const all: Fold[] = [
    ...bodies.map((span) => foldOf("body", span, 1)),
    ...grouped(imports).map((span) => foldOf("imports", span, 0)),
    ...grouped(comments.filter(({ ownLine }) => ownLine).map(({ span }) => span)).map((span) =>
      foldOf("comment", span, 0),
    ),
  ];
  return all.filter(({ first, last }) => last > first);
}

const bracesIn = (entries: readonly ModelEntry[]): readonly Span[] =>
  entries.flatMap((entry) => (entry.kind === "slot" && entry.entries ? [entry.span, ...bracesIn(entry.entries)] : []));

/** `kept`: lines at the end that stay, as that of a closing brace. */
function foldOf(kind: Fold["kind"], { source, start, end }: Span, kept: number): Fold {
  return { kind, first: positionAt(source, start).line, last: positionAt(source, end).line - kept };
}

/** Places that stand on lines one after the other, as one. */
function grouped(spans: readonly Span[]): readonly Span[] {
  const groups: Span[] = [];
  for (const span of spans) {
    const before = groups.at(-1);
    const { source } = span;
    const follows = before && positionAt(source, span.start).line <= positionAt(source, before.end).line + 1;
    if (before && follows) groups[groups.length - 1] = { ...before, end: span.end };
    else groups.push(span);
  }
  return groups;
}
