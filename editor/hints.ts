/** Hints between the words of a text: shapes behind slots, and values that follow from others. */

import { type Analysis, type Derived, derivedOfModel, derivedOfRecipe } from "../compiler/index.js";
import type { Source, Span } from "../grammar/index.js";

export interface Hint {
  /** It stands behind this place. */
  readonly after: Span;
  readonly text: string;
  readonly why: string;
}

/** Gives null where a block of the project fails, which is a finding already. */
export type Attempt = <T>(compute: () => T) => T | null;

/** The hints of the declarations that a range of the text touches. */
export function hints(
  source: Source,
  { start, end }: Pick<Span, "start" | "end">,
  { file, models, recipes }: Pick<Analysis, "file" | "models" | "recipes">,
  attempt: Attempt,
): readonly Hint[] {
  return file.declarations.flatMap(({ kind, name, span }) => {
    if (!name || span.start > end || span.end < start) return [];
    const model = kind === "model" ? models.get(name.name) : undefined;
    const recipe = kind === "recipe" ? recipes.get(name.name) : undefined;
    const derived = attempt(() => (model ? derivedOfModel(model) : recipe ? derivedOfRecipe(recipe) : [])) ?? [];
    // What is inherited has its hint where it is written.
    const isHere = ({ origin }: Derived): boolean =>
      origin.span.source.path === source.path && origin.span.start >= span.start && origin.span.end <= span.end;
    return derived.filter(isHere).map(({ origin, text, why }) => ({ after: origin.span, text, why }));
  });
}
