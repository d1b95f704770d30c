/** Tokens: how an input is cut into patches and each patch becomes a vector. */

import type { Tensor } from "../../graph/index.js";
import type { ArrayShape, NumberKind } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Lattice } from "../sets.js";

export interface TokensContext {
  readonly array: ArrayShape;
}

export interface Tokens<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, TokensContext> {
  /** The numbers that it makes tokens of; if absent, amounts. */
  readonly numbers?: NumberKind;
  /** The lattice of tokens; called only when the block's requirements hold. */
  grid(p: ValuesOf<P>, array: ArrayShape): Lattice;
  parameters(p: ValuesOf<P>, context: TokensContext & { readonly width: number }): T;
  /** array [B, ...axes, C] -> tokens [B, N, D] in raster order. `shape`: that of the array. */
  embed(code: Code, p: ValuesOf<P>, w: Weights<T>, array: Tensor, grid: Lattice, shape: ArrayShape): Tensor;
  /**
   * Present where tokens lie in space, which no array says by its axes: what enters the model is made of the points of a sample, and each token
   * has a centre.
   */
  readonly cloud?: {
    /** The array that enters, of the one that the input declares. */
    array(p: ValuesOf<P>, array: ArrayShape): ArrayShape;
    /** array [B, ...axes, C] -> centres [B, N, 3]. */
    centres(code: Code, p: ValuesOf<P>, array: Tensor): Tensor;
  };
  /** Whether some patches lie over one another; if absent, they lie side by side, and every place of the array is in one. */
  overlaps?(p: ValuesOf<P>): boolean;
  /** Present where ids are looked up in a table [vocabulary, D], which a decoder may compare with. */
  table?(w: Weights<T>): Tensor;
  /** Present where tokens are codes that a network which others have trained names places by. */
  readonly codes?: TokenCodes<P, T>;
}

/** Places of an array told by numbers, and back. */
export interface TokenCodes<P extends Params = Params, T extends ParameterTree = ParameterTree> {
  /** How many codes there are. */
  count(p: ValuesOf<P>): number;
  /** array [B, ...axes, C] of this shape -> the code of each token, int32 [B, N] in raster order */
  of(code: Code, p: ValuesOf<P>, w: Weights<T>, array: Tensor, shape: ArrayShape): Tensor;
  /** codes int32 [B, N] -> tokens [B, N, D] */
  embed(code: Code, p: ValuesOf<P>, w: Weights<T>, codes: Tensor): Tensor;
  /** codes int32 [B, N] -> what they look like, [B, ...axes, C] */
  draw(code: Code, p: ValuesOf<P>, w: Weights<T>, codes: Tensor, grid: Lattice, shape: ArrayShape): Tensor;
}

export const defineTokens = <const P extends Params, T extends ParameterTree>(tokens: Tokens<P, T>): Tokens<P, T> =>
  ofKind("tokens", tokens);
