/** What follows from the lines of a model or recipe without running it, said line by line, as an editor shows it beside them. */

import { countsText, type Optimizer, tokenCount } from "../blocks/index.js";
import { outputsOf } from "./assemble/head-weights.js";
import { isWhole, layoutOf, tokensOf, visibleOf } from "./assemble/layout.js";
import { type InputPart, type MaskPart, type Parts, partsOf } from "./assemble/parts.js";
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
  const found: Derived[] = [];
  const tell = (values: unknown, text: string, why: string): void => {
    const filled = allOf(model.slots).find(({ use }) => use.values === values);
    if (filled) found.push({ origin: filled.use.origin, text, why });
  };
  // A line that stands for several inputs is told of the first of them.
  const [first] = parts.inputs;
  for (const { tokens, grid } of parts.inputs) {
    if (!tokens || (tokens.values === first?.tokens?.values && grid !== first.grid)) continue;
    tell(tokens.values, `${countsText(grid)} = ${tokenCount(grid)} tokens`, "tokens along each axis, and in all");
  }
  const [mask] = parts.masks;
  if (mask) tell(mask.block.values, visibleText(mask), "tokens that the encoder sees");
  const { definition, values } = parts.encoder.block;
  tell(values, `${rowsSeen(parts)} x ${definition.width(values)}`, "tokens that leave the encoder x features");
  const seen = new Set<unknown>();
  for (const objective of parts.objectives) {
    const { decoder, input } = objective;
    if (seen.has(decoder.values)) continue;
    seen.add(decoder.values);
    const text = `${tokenCount(input.grid)} x ${outputsOf(objective)}`;
    tell(decoder.values, text, "tokens that are predicted x numbers of each");
  }
  return found;
}

const allOf = (slots: readonly Filled[]): readonly Filled[] => slots.flatMap((one) => [one, ...allOf(one.inner)]);

function visibleText(mask: MaskPart): string {
  const { block, over } = mask;
  const visible = visibleOf(mask);
  const [fewest = visible] = block.definition.varies?.counts(block.values, (over[0] as InputPart).grid) ?? [];
  return `${fewest < visible ? `${fewest} to ` : ""}${visible} of ${tokensOf(over)} visible`;
}

/** With the tokens in front; hidden ones are among them where a decoder puts them into the encoder's input. */
function rowsSeen(parts: Parts): number {
  const { extra, count, visible } = layoutOf(parts);
  return extra + (parts.encoder.inputs.every((input) => isWhole(parts, input)) ? count : visible);
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
