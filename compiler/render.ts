/**
 * A checked model back to text, with nothing left to look up: inheritance flattened, every default written out. Analysed
 * again it gives an equal model. With origins, each value says where it comes from.
 */

import { positionAt } from "../grammar/index.js";
import { settings } from "./check/lines.js";
import { argumentTexts, valueText } from "./check/show.js";
import type { Filled, Model, Origin, Recipe, Setting, Use } from "./model.js";

export interface RenderOptions {
  /** Whether each value is followed by a comment: file, line, and how it came there. */
  readonly origin: boolean;
}

/** A piece of text, and where it comes from. */
interface Line {
  readonly text: string;
  readonly origin: Origin | null;
}

/**
 * Prints a model, and a recipe for it.
 * @returns text of the current edition, in the one format
 */
export function render(model: Model, recipe: Recipe | null, options: RenderOptions): string {
  const parts = [
    modelLines(model, options),
    ...(recipe ? [recipeLines({ ...recipe, model: model.name }, options)] : []),
  ];
  const bodies = parts.map((lines) => lines.map((line) => lineText(line, options)).join("\n"));
  return `edition 2026\n\n${bodies.join("\n\n")}\n`;
}

const lineText = ({ text, origin }: Line, options: RenderOptions): string =>
  options.origin && origin ? `${text} // ${originText(origin)}` : text;

function originText({ how, span }: Origin): string {
  return `${span.source.path}:${positionAt(span.source, span.start).line} ${how}`;
}

const plain = (text: string): Line => ({ text, origin: null });

const indented = (lines: readonly Line[]): readonly Line[] =>
  lines.map((line) => ({ ...line, text: `  ${line.text}` }));

const docLines = (doc: string): readonly Line[] =>
  doc === "" ? [] : doc.split("\n").map((line) => plain(line === "" ? "///" : `/// ${line}`));

const modelLines = (model: Model, options: RenderOptions): readonly Line[] => [
  ...docLines(model.doc),
  plain(`model ${model.name} {`),
  ...slotTable(model.slots.map((line) => filledParts(line, options))),
  plain("}"),
];

/** A slot and its block, before the slots are brought to one width. */
interface SlotText {
  readonly slot: string;
  readonly lines: readonly Line[];
}

/** The lines of a body with the blocks under each other. */
function slotTable(rows: readonly SlotText[]): readonly Line[] {
  const width = Math.max(0, ...rows.map(({ slot }) => slot.length));
  return indented(
    rows.flatMap(({ slot, lines }) => {
      const [first, ...rest] = lines as [Line, ...Line[]];
      return [{ ...first, text: `${slot.padEnd(width)} ${first.text}` }, ...rest];
    }),
  );
}

function filledParts({ slot, label, use, inner }: Filled, options: RenderOptions): SlotText {
  const block = useLines(use, options);
  const labelled = label === null ? block : prefixed(`${label}: `, block);
  if (inner.length === 0) return { slot, lines: labelled };
  const nested = slotTable(inner.map((line) => filledParts(line, options)));
  return { slot, lines: [...suffixed(labelled, " {"), ...nested, plain("}")] };
}

const prefixed = (text: string, [first, ...rest]: readonly Line[]): readonly Line[] =>
  first ? [{ ...first, text: text + first.text }, ...rest] : [];

const suffixed = (lines: readonly Line[], text: string): readonly Line[] => {
  const last = lines.at(-1);
  return last ? [...lines.slice(0, -1), { ...last, text: last.text + text }] : [];
};

/** A block with all its values: on one line, or one value a line where each says its origin. */
function useLines({ definition, values, origins, origin }: Use, options: RenderOptions): readonly Line[] {
  const written = argumentTexts(definition.params, values);
  if (written.length === 0) return [{ text: definition.name, origin }];
  if (!options.origin) return [plain(`${definition.name}(${written.map(({ text }) => text).join(", ")})`)];
  const lines = written.map(({ name, text }): Line => ({ text: `${text},`, origin: origins[name] ?? null }));
  return [{ text: `${definition.name}(`, origin }, ...indented(lines), plain(")")];
}

function recipeLines(recipe: Recipe, options: RenderOptions): readonly Line[] {
  const rows: SlotText[] = [
    { slot: "data", lines: useLines(recipe.data, options) },
    ...recipe.augment.map((use) => ({ slot: "augment", lines: useLines(use, options) })),
    { slot: "optimizer", lines: useLines(recipe.optimizer, options) },
    { slot: "schedule", lines: useLines(recipe.schedule, options) },
    ...Object.entries(recipe.settings).flatMap(([name, setting]) => settingText(name, setting)),
    ...recipe.evaluate.map(({ use, every }) => ({
      slot: "evaluate",
      lines: every ? suffixed(useLines(use, options), ` every ${every.amount} ${every.unit}`) : useLines(use, options),
    })),
  ];
  return [
    ...docLines(recipe.doc),
    plain(`recipe ${recipe.name} for ${recipe.model} {`),
    ...slotTable(rows),
    plain("}"),
  ];
}

/** Nothing for a setting that is not set and has no default. */
function settingText(name: string, { value, origin }: Setting): readonly SlotText[] {
  const type = settings[name]?.type;
  return type && value !== null ? [{ slot: name, lines: [{ text: valueText(type, value), origin }] }] : [];
}
