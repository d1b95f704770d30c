/** Tables and single tokens that are added to a sequence or stand in it. */

import { type Add, type Dims, type Product, sizeOf, type Tensor } from "../../graph/index.js";
import { fixed, type Parameter, parameter } from "../parameters.js";
import { declarer } from "./layer.js";

/** Size of a position table: places along each axis of the tokens, `extra` rows before them, and the width. */
export interface PositionTable<C extends readonly number[], E extends number, D extends number> {
  readonly counts: C;
  readonly extra: E;
  readonly width: D;
}

/** Named in steps of their own: nested arithmetic on open sizes is too deep for the compiler. */
type PositionParameter<C extends readonly number[], E extends number, D extends number> =
  Product<C> extends infer N extends number
    ? Add<E, N> extends infer P extends number
      ? Parameter<[1, P, D]>
      : never
    : never;

type OpenTable = PositionTable<readonly number[], number, number>;

interface SinCosOptions {
  readonly order?: "flat";
  /** Numbers of the axes that are encoded; if absent, all. */
  readonly along?: readonly number[];
}

/** Fixed sine-cosine positions, zero for the extra rows; stored, not trained. */
export const sinCosPositions = declarer(
  "sinCosPositions",
  ({ counts, extra, width, order, along }: OpenTable & SinCosOptions): Parameter =>
    fixed([1, extra + sizeOf(counts), width], {
      ...{ kind: "sin_cos", counts, extra },
      ...(order ? { order } : {}),
      ...(along ? { along } : {}),
    }),
) as <const C extends readonly number[], const E extends number, const D extends number>(
  table: PositionTable<C, E, D> & SinCosOptions,
) => PositionParameter<C, E, D>;

const learnedTokens = (shape: Dims): Parameter => ({
  ...parameter(shape, { kind: "normal", std: 0.02 }),
  token: true,
});

/** Trained positions, normal with deviation 0.02. */
export const learnedPositions = declarer(
  "learnedPositions",
  ({ counts, extra, width }: OpenTable): Parameter => learnedTokens([1, extra + sizeOf(counts), width]),
) as <const C extends readonly number[], const E extends number, const D extends number>(
  table: PositionTable<C, E, D>,
) => PositionParameter<C, E, D>;

/** One learned token, normal with deviation 0.02: the class token, or what stands for hidden tokens. */
export const tokenParameter = declarer(
  "tokenParameter",
  (width: number): Parameter => learnedTokens([1, 1, width]),
) as <const D extends number>(width: D) => Parameter<[1, 1, D]>;

/** Learned tokens, or what is added to such, normal with deviation 0.02. */
export const tokensParameter = declarer(
  "tokensParameter",
  (count: number, width: number): Parameter => learnedTokens([1, count, width]),
) as <const C extends number, const D extends number>(count: C, width: D) => Parameter<[1, C, D]>;

/**
 * Positions whose sum stands in the place of one table: those along the first axis, in official checkpoints time, those along the others,
 * and those of tokens in front, where there are some.
 */
export interface SeparateTables<T extends number, S extends number, D extends number> {
  readonly temporal: Tensor<[1, T, D]>;
  readonly spatial: Tensor<[1, S, D]>;
}

interface SeparateSizes<T extends number, S extends number, E extends number, D extends number> {
  /** Places along the first axis, and along the others together. */
  readonly times: T;
  readonly places: S;
  readonly extra: E;
  readonly width: D;
}

/** Trained tables that are added up, normal with deviation 0.02. */
export const separatePositions = declarer(
  "separatePositions",
  ({ times, places, extra, width }: SeparateSizes<number, number, number, number>) => ({
    ...(extra > 0 ? { class: { ...learnedTokens([1, extra, width]), places: "front" as const } } : {}),
    temporal: { ...learnedTokens([1, times, width]), places: "first axis" as const },
    spatial: { ...learnedTokens([1, places, width]), places: "other axes" as const },
  }),
) as unknown as <const T extends number, const S extends number, const E extends number, const D extends number>(
  sizes: SeparateSizes<T, S, E, D>,
) => {
  readonly temporal: Parameter<[1, T, D]>;
  readonly spatial: Parameter<[1, S, D]>;
} & (E extends 0 ? unknown : { readonly class: Parameter<[1, E, D]> });
