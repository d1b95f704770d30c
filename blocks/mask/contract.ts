/**
 * Masks sampled on the host. A mask is an order of the grid's tokens: the first `visible` of them are seen by the encoder,
 * in this order, the rest are hidden. The number of visible tokens is the same for every sample.
 */

import type { Random, TypedArray } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Field, FieldContext } from "../field.js";
import type { Grid } from "../geometry.js";
import type { Params, ValuesOf } from "../params.js";

export interface Mask<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Number of visible tokens, V. */
  visible(p: ValuesOf<P>, grid: Grid): number;
  /** What it needs of a sample besides a random stream. */
  field?(p: ValuesOf<P>, context: FieldContext): Field;
  /** One sample's order: a permutation of 0..N-1. `field`: the sample's numbers of the mask's field, where it has one. */
  sample(p: ValuesOf<P>, grid: Grid, random: Random, field?: TypedArray): Int32Array;
}

export const defineMask = <const P extends Params>(mask: Mask<P>): Mask<P> => ofKind("mask", mask);

/** floor(N (1 - ratio)) as official MAE counts: truncated in floating point, so 100 tokens at 90 % keep 9. */
export const visibleTokens = (tokens: number, ratio: number): number => Math.trunc(tokens * (1 - ratio));
