/** Tables and single tokens that are added to a sequence or stand in it. */

import type { Add, Dims, Mul } from "../../graph/index.js";
import { fixed, type Parameter, parameter } from "../parameters.js";
import { declarer } from "./layer.js";

/** Size of a position table: the patches' grid, `extra` rows before them, and the width. */
export interface PositionTable<R extends number, K extends number, E extends number, D extends number> {
  readonly rows: R;
  readonly columns: K;
  readonly extra: E;
  readonly width: D;
}

/** Named in a step of its own: nested arithmetic on open sizes is too deep for the compiler. */
type PositionParameter<R extends number, K extends number, E extends number, D extends number> =
  Add<E, Mul<R, K>> extends infer P extends number ? Parameter<[1, P, D]> : never;

/** Fixed 2-D sine-cosine positions, zero for the extra rows; stored, not trained. */
export const sinCosPositions = declarer(
  "sinCosPositions",
  ({ rows, columns, extra, width }: PositionTable<number, number, number, number>): Parameter =>
    fixed([1, extra + rows * columns, width], { kind: "sin_cos", rows, columns, extra }),
) as <const R extends number, const K extends number, const E extends number, const D extends number>(
  table: PositionTable<R, K, E, D>,
) => PositionParameter<R, K, E, D>;

const learnedTokens = (shape: Dims): Parameter => ({
  ...parameter(shape, { kind: "normal", std: 0.02 }),
  token: true,
});

/** Trained positions, normal with deviation 0.02. */
export const learnedPositions = declarer(
  "learnedPositions",
  ({ rows, columns, extra, width }: PositionTable<number, number, number, number>): Parameter =>
    learnedTokens([1, extra + rows * columns, width]),
) as <const R extends number, const K extends number, const E extends number, const D extends number>(
  table: PositionTable<R, K, E, D>,
) => PositionParameter<R, K, E, D>;

/** One learned token, normal with deviation 0.02: the class token, or what stands for hidden tokens. */
export const tokenParameter = declarer(
  "tokenParameter",
  (width: number): Parameter => learnedTokens([1, 1, width]),
) as <const D extends number>(width: D) => Parameter<[1, 1, D]>;
