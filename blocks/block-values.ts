/** Blocks among the values of another block. */

import { kindOf } from "./block.js";
import type { BlockValue } from "./params.js";

export const isBlockValue = (value: unknown): value is BlockValue =>
  typeof value === "object" && value !== null && "block" in value && kindOf(value.block) !== undefined;
