/** Which blocks of a model ask for a batch field, and how each field is called. */

import {
  type Batch,
  type Bound,
  type BoundField,
  bindField,
  type Code,
  corruptIds,
  dropsInput,
  guideNames,
  type Head,
  type HiddenBlocks,
  type Mask,
  placeNames,
  type Target,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { headInput } from "./layout.js";
import { camel, distinct } from "./names.js";
import type { InputPart, MaskPart, Parts } from "./parts.js";

/** A block with a field. */
export interface BlockWithField {
  readonly name: string;
  readonly kind: BoundField["kind"];
  readonly part: Bound<Target> | Bound<Mask> | Bound<Head>;
  /** The input that it is computed of. */
  readonly input: InputPart;
}

/** What a batch has for parts that are left out at random. */
const always = [dropsInput];

/** The labels of a batch, of a model with a head. */
const labelsField = "labels";

/** The blocks that ask for a field: the mask, the head, then the targets, by label or by their own name. */
export function fieldsAsked(parts: Parts): readonly BlockWithField[] {
  const { inputs, masks, objectives, heads } = parts;
  const asked: BlockWithField[] = [];
  const taken = new Set([...always, ...inputs.map(({ name }) => name), ...masks.flatMap(feedsOf)]);
  const ask = (wanted: string, field: Omit<BlockWithField, "name">): void => {
    const name = distinct(camel(wanted), (other) => taken.has(other));
    taken.add(name);
    asked.push({ name, ...field });
  };
  for (const { name, block, over } of masks) {
    const wanted = masks.length === 1 ? "mask" : `${name}_mask`;
    if (block.definition.field) ask(wanted, { kind: "mask", part: block, input: over[0] as InputPart });
  }
  for (const one of heads) {
    const { label, block } = one;
    const wanted = label === null ? labelsField : `${label}_${labelsField}`;
    if (block.definition.field) ask(wanted, { kind: "head", part: block, input: headInput(one) });
  }
  for (const { label, target, input } of objectives) {
    if (target.definition.field) ask(label ?? target.definition.name, { kind: "target", part: target, input });
  }
  return asked;
}

/** The names of the scalars that a mask is fed. */
export const movingNames = ({ definition, values }: Bound<Mask>): readonly string[] =>
  Object.keys(definition.guide?.moving(values) ?? {});

/** The names of what a guided mask is fed besides its places. */
function guideFeeds(mask: MaskPart): readonly string[] {
  const { draws, moving } = guideNames(mask.label);
  return [draws, ...movingNames(mask.block).map(moving)];
}

/** The names of what a mask is fed. */
const feedsOf = (mask: MaskPart): readonly string[] => [...Object.values(placeNames(mask.label)), ...guideFeeds(mask)];

/** The ids that the mask lets enter in the place of a text's own, int32 [B, N], -1 where none was chosen; null: it hides otherwise. */
export function enteredIds(parts: Parts, batch: Batch, input: InputPart): Tensor | null {
  const asked = fieldsAsked(parts).find(
    (field) => field.input === input && field.kind === "mask" && (field.part as Bound<Mask>).definition.corrupts,
  );
  return asked ? (batch[asked.name] as Tensor) : null;
}

/** What the mask over an input wants predicted block by block; null: there is none, or all that is hidden is predicted together. */
export function blocksOf(parts: Parts, batch: Batch, input: InputPart): HiddenBlocks | null {
  for (const { name, kind, part, input: own } of fieldsAsked(parts)) {
    if (kind !== "mask" || own !== input) continue;
    const sizes = (part as Bound<Mask>).definition.blocks?.(part.values, input.grid);
    if (sizes) return { places: batch[name] as Tensor, ...sizes };
  }
  return null;
}

/** The fields themselves, by name. */
export const fieldsOf = (parts: Parts): Readonly<Record<string, BoundField>> =>
  Object.fromEntries(
    fieldsAsked(parts).map(({ name, kind, part: { definition, values }, input: { label, array, grid } }) => [
      name,
      bindField(kind, definition, values, { array, grid }, label ?? undefined),
    ]),
  );

/** A text with the ids that the mask lets enter, of an array of a batch. */
export function corruptedText(code: Code, parts: Parts, input: InputPart, array: Tensor, batch: Batch): Tensor {
  const entered = enteredIds(parts, batch, input);
  invariant(entered, "a mask that lets other ids enter has a field of them");
  return code.let("corrupted", corruptIds, array, entered);
}
