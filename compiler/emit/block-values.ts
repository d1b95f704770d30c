/** Values of a block as plain data, without what a block used as a value carries to be shown in the language. */

import type { BlockValue } from "../../blocks/index.js";

const isBlockValue = (value: unknown): value is BlockValue =>
  typeof value === "object" && value !== null && "block" in value && "values" in value;

export const plainValues = (values: object): object =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      isBlockValue(value) ? { block: value.block, values: plainValues(value.values) } : value,
    ]),
  );
