/** How many tokens there are at each place of a model. */

import { tokenCount } from "../../blocks/index.js";
import type { Parts } from "./parts.js";

export interface Layout {
  /** In front of the patches. */
  readonly extra: number;
  /** Patches. */
  readonly count: number;
  readonly visible: number;
  readonly total: number;
}

export function layoutOf(parts: Parts): Layout {
  const extra = parts.encoder.definition.extraTokens(parts.encoder.values);
  const count = tokenCount(parts.grid);
  const { mask, grid } = parts;
  return { extra, count, visible: mask?.definition.visible(mask.values, grid) ?? count, total: extra + count };
}
