/** What a file declares, as an outline: its declarations with their lines. */

import type { Declaration, Expression, File, Identifier, ModelEntry, Span } from "../grammar/index.js";

export interface OutlineItem {
  readonly name: string;
  /** The block of a slot, the recipe and model of a stage. */
  readonly detail: string;
  readonly kind: Declaration["kind"] | "slot" | "variable" | "axis" | "stage";
  readonly span: Span;
  /** The name in it. */
  readonly nameSpan: Span;
  readonly items: readonly OutlineItem[];
}

export const outlineItems = ({ declarations }: File): readonly OutlineItem[] =>
  declarations.flatMap((declaration) => {
    const { name, kind, span } = declaration;
    if (!name) return [];
    return [{ name: name.name, detail: kind, kind, span, nameSpan: name.span, items: linesOf(declaration) }];
  });

function linesOf(declaration: Declaration): readonly OutlineItem[] {
  switch (declaration.kind) {
    case "model":
    case "recipe":
      return declaration.entries.flatMap(ofModel);
    case "variants":
      return declaration.entries.flatMap((entry) => {
        if (entry.kind === "skip") return [];
        if (entry.kind === "let") return [leaf("variable", entry.name, "", entry.span)];
        const [first] = entry.path;
        const name = entry.path.map((part) => part.name).join(".");
        return first ? [leaf("axis", { ...first, name }, "", entry.span)] : [];
      });
    case "pipeline":
      return declaration.entries.flatMap((entry) => {
        if (entry.kind === "evaluation") return [];
        const detail = `${entry.recipe?.name ?? "?"} of ${entry.model?.name ?? "?"}`;
        return [leaf("stage", entry.name, detail, entry.span)];
      });
  }
}

function ofModel(entry: ModelEntry): readonly OutlineItem[] {
  if (entry.kind === "let") return [leaf("variable", entry.name, "", entry.span)];
  if (entry.kind !== "slot") return [];
  const name = entry.label ? `${entry.slot.name} ${entry.label.name}` : entry.slot.name;
  const item = leaf("slot", { ...entry.slot, name }, entry.values.map(wordFor).join(", "), entry.span);
  return [{ ...item, items: (entry.entries ?? []).flatMap(ofModel) }];
}

const leaf = (
  kind: OutlineItem["kind"],
  { name, span: nameSpan }: Identifier,
  detail: string,
  span: Span,
): OutlineItem => ({
  name,
  detail,
  kind,
  span,
  nameSpan,
  items: [],
});

const wordFor = (value: Expression): string =>
  value.kind === "call" ? value.callee.name : value.span.source.text.slice(value.span.start, value.span.end);
