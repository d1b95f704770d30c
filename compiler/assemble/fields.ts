/** Which blocks of a model ask for a batch field, and how each field is called. */

import { type Bound, type BoundField, bindField, type Head, type Mask, type Target } from "../../blocks/index.js";
import { movingNames } from "./guide.js";
import { camel, distinct } from "./names.js";
import type { Parts } from "./parts.js";

/** A block with a field. */
export interface BlockWithField {
  readonly name: string;
  readonly kind: BoundField["kind"];
  readonly part: Bound<Target> | Bound<Mask> | Bound<Head>;
}

/** What a batch has anyway, or for a guided mask. */
const always = ["visible", "hidden", "restore", "draws"];

/** The labels of a batch, of a model of classes. */
export const labelsField = "labels";

/** The blocks that ask for a field: the mask, the head, then the targets, by label or by their own name. */
export function fieldsAsked({ name: array, mask, objectives, classes }: Parts): readonly BlockWithField[] {
  const asked: BlockWithField[] = [
    ...(mask?.definition.field ? [{ name: "mask", kind: "mask", part: mask } as const] : []),
    ...(classes ? [{ name: labelsField, kind: "head", part: classes.head } as const] : []),
  ];
  for (const { label, target } of objectives) {
    if (!target.definition.field) continue;
    const taken = [array, ...always, ...(mask ? movingNames(mask) : []), ...asked.map(({ name }) => name)];
    const name = distinct(camel(label ?? target.definition.name), (other) => taken.includes(other));
    asked.push({ name, kind: "target", part: target });
  }
  return asked;
}

/** The fields themselves, by name. */
export const fieldsOf = (parts: Parts): Readonly<Record<string, BoundField>> =>
  Object.fromEntries(
    fieldsAsked(parts).map(({ name, kind, part: { definition, values } }) => [
      name,
      bindField(kind, definition, values, { array: parts.array, grid: parts.grid }),
    ]),
  );
