/** What follows from the lines of a model or recipe without running it, said line by line, as an editor shows it beside them. */

import { countsText, type Optimizer } from "../blocks/index.js";
import { layoutOf } from "./assemble/layout.js";
import { type Parts, partsOf } from "./assemble/parts.js";
import type { Filled, Model, Origin, Recipe } from "./model.js";
import { learningRateOf } from "./plan.js";

export interface Derived {
  /** The block or value that it follows from. */
  readonly origin: Origin;
  /** `14x14 = 196 tokens`, `= 2.4e-3` */
  readonly text: string;
  /** How it comes about. */
  readonly why: string;
}

/** The shapes behind the slots of a model without findings, for one sample. */
export function derivedOfModel(model: Model): readonly Derived[] {
  const parts = partsOf(model);
  const { count } = layoutOf(parts);
  const found: Derived[] = [];
  const tell = (values: unknown, text: string, why: string): void => {
    const filled = allOf(model.slots).find(({ use }) => use.values === values);
    if (filled) found.push({ origin: filled.use.origin, text, why });
  };
  tell(parts.tokens.values, `${countsText(parts.grid)} = ${count} tokens`, "tokens along each axis, and in all");
  if (parts.mask) tell(parts.mask.values, visibleText(parts), "tokens that the encoder sees");
  const { definition, values } = parts.encoder;
  tell(values, `${rowsSeen(parts)} x ${definition.width(values)}`, "tokens that leave the encoder x features");
  for (const { decoder, target } of parts.objectives) {
    const context = { array: parts.array, grid: parts.grid, width: definition.width(values) };
    const outputs = target.definition.outputs(target.values, context);
    tell(decoder.values, `${count} x ${outputs}`, "tokens that are predicted x numbers of each");
  }
  return found;
}

const allOf = (slots: readonly Filled[]): readonly Filled[] => slots.flatMap((one) => [one, ...allOf(one.inner)]);

function visibleText(parts: Parts): string {
  const { mask, grid } = parts;
  const { count, visible } = layoutOf(parts);
  const [fewest = visible] = mask?.definition.varies?.counts(mask.values, grid) ?? [];
  return `${fewest < visible ? `${fewest} to ` : ""}${visible} of ${count} visible`;
}

/** With the tokens in front; hidden ones are among them where a decoder puts them into the encoder's input. */
function rowsSeen(parts: Parts): number {
  const { extra, count, visible } = layoutOf(parts);
  const enters = parts.objectives[0]?.decoder.definition.enter !== undefined;
  return extra + (enters ? count : visible);
}

/** The learning rate of a recipe without findings, where it is told for so many samples. */
export function derivedOfRecipe(recipe: Recipe): readonly Derived[] {
  const { optimizer, settings } = recipe;
  const batch = settings.batch?.value;
  const { per } = (optimizer.definition as Optimizer).lr(optimizer.values);
  const [name] = Object.entries(optimizer.definition.params).find(([, { type }]) => type.kind === "rate") ?? [];
  const origin = name === undefined ? undefined : optimizer.origins[name];
  if (!origin || typeof batch !== "number" || per === null) return [];
  const { arithmetic } = learningRateOf(recipe, batch);
  return [{ origin, text: `= ${arithmetic.split(" = ").at(-1)}`, why: arithmetic }];
}
