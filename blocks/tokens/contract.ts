/** Tokens: how an input is cut into patches and each patch becomes a vector. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { Grid, ImageShape } from "../geometry.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";

export interface TokensContext {
  readonly image: ImageShape;
}

export interface Tokens<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, TokensContext> {
  /** The grid of patches; called only when the block's requirements hold. */
  grid(p: ValuesOf<P>, image: ImageShape): Grid;
  parameters(p: ValuesOf<P>, context: TokensContext & { readonly width: number }): T;
  /** image [B, H, W, C] -> tokens [B, N, D] in raster order. */
  embed(code: Code, p: ValuesOf<P>, w: Weights<T>, image: Tensor, grid: Grid): Tensor;
}

export const defineTokens = <const P extends Params, T extends ParameterTree>(tokens: Tokens<P, T>): Tokens<P, T> =>
  ofKind("tokens", tokens);
