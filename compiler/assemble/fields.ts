/** Which blocks of a model ask for a batch field, and how each field is called. */

import {
  type Batch,
  type Bound,
  type BoundField,
  bindField,
  dropsInput,
  type Head,
  type Mask,
  placeNames,
  type Target,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { movingNames } from "./guide.js";
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

/** What a batch has for a guided mask, and for parts that are left out at random. */
const always = ["draws", dropsInput];

/** The labels of a batch, of a model of classes. */
export const labelsField = "labels";

/** The blocks that ask for a field: the mask, the head, then the targets, by label or by their own name. */
export function fieldsAsked({ inputs, masks, objectives, classes }: Parts): readonly BlockWithField[] {
  const asked: BlockWithField[] = [];
  const taken = new Set([...always, ...inputs.map(({ name }) => name), ...masks.flatMap(feedsOf(masks.length))]);
  const ask = (wanted: string, field: Omit<BlockWithField, "name">): void => {
    const name = distinct(camel(wanted), (other) => taken.has(other));
    taken.add(name);
    asked.push({ name, ...field });
  };
  for (const { name, block, over } of masks) {
    const wanted = masks.length === 1 ? "mask" : `${name}_mask`;
    if (block.definition.field) ask(wanted, { kind: "mask", part: block, input: over[0] as InputPart });
  }
  if (classes) asked.push({ name: labelsField, kind: "head", part: classes.head, input: inputs[0] as InputPart });
  for (const { label, target, input } of objectives) {
    if (target.definition.field) ask(label ?? target.definition.name, { kind: "target", part: target, input });
  }
  return asked;
}

/** The names of what a mask is fed. */
const feedsOf =
  (masks: number) =>
  ({ name, block }: MaskPart): readonly string[] => [
    ...Object.values(placeNames(masks === 1 ? null : name)),
    ...movingNames(block),
  ];

/** The ids that the mask lets enter in the place of a text's own, int32 [B, N], -1 where none was chosen; null: it hides otherwise. */
export function enteredIds(parts: Parts, batch: Batch): Tensor | null {
  const asked = fieldsAsked(parts).find(
    ({ part, kind }) => kind === "mask" && (part as Bound<Mask>).definition.corrupts,
  );
  return asked ? (batch[asked.name] as Tensor) : null;
}

/** The fields themselves, by name. */
export const fieldsOf = (parts: Parts): Readonly<Record<string, BoundField>> =>
  Object.fromEntries(
    fieldsAsked(parts).map(({ name, kind, part: { definition, values }, input: { array, grid } }) => [
      name,
      bindField(kind, definition, values, { array, grid }),
    ]),
  );
