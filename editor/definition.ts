/** Where the thing is written that a word stands for. */

import type { Source, Span } from "../grammar/index.js";
import { parse } from "../grammar/index.js";
import { candidateAt } from "./candidates.js";
import type { Surroundings } from "./scene.js";

/**
 * The place that the word at an offset leads to: a declaration, a `let`, a stage, the line with a label, the file of an import, a
 * block of the project. null: it leads nowhere.
 */
export function definition(source: Source, offset: number, around: Surroundings): Span | null {
  const path = parse(source).file.imports.find(
    ({ from }) => from && from.span.start <= offset && offset <= from.span.end,
  );
  if (path?.from) {
    const file = around.imported(source, path.from.value);
    return file && { ...file.span, end: 0 };
  }
  const candidate = candidateAt(source, offset, around)?.candidate;
  switch (candidate?.kind) {
    case "declaration":
      return candidate.declaration?.name?.span ?? null;
    case "variable":
    case "stage":
    case "label":
    case "part":
      return candidate.at;
    case "block":
      return around.home(candidate.definition);
    default:
      return null;
  }
}
