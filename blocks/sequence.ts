/** The tokens of a sequence that stand for patches. Where none stand in front of them, no statement is made of it. */

import type { Tensor } from "../graph/index.js";
import type { Code } from "./code.js";
import { patchTokens, seenTokens, tokensBehind } from "./nn/index.js";

/** What stands in a sequence: `extra` tokens in front of those of `count` patches. */
interface Sequence {
  readonly extra: number;
  /** null: however many there are. */
  readonly count: number | null;
}

/** x [B, extra + N, D] -> the patches' tokens [B, N, D]. */
export function patchesOf(code: Code, name: string, x: Tensor, { extra, count }: Sequence): Tensor {
  if (extra === 0) return x;
  return count === null ? code.let(name, tokensBehind, x, { extra }) : code.let(name, patchTokens, x, { extra, count });
}

/** x [B, extra + V, D], visible [B, V] -> the visible patches' tokens [B, V, D]. */
export const visiblePatchesOf = (code: Code, name: string, x: Tensor, visible: Tensor, extra: number): Tensor =>
  extra === 0 ? x : code.let(name, seenTokens, x, visible, { extra });
