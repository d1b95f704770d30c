/** Targets: what is predicted for each patch, and how a prediction becomes a picture. */

import type { Tensor } from "../../graph/index.js";
import type { Definition, ModelContext } from "../block.js";
import type { Code } from "../code.js";
import type { Grid, ImageShape } from "../geometry.js";
import type { Params, ValuesOf } from "../params.js";
import type { Picture } from "../program.js";

export interface TargetContext {
  readonly image: ImageShape;
  readonly grid: Grid;
}

export interface Target<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Numbers for each patch, P. */
  outputs(p: ValuesOf<P>, context: TargetContext): number;
  /** image [B, H, W, C] -> target [B, N, P] */
  build(code: Code, p: ValuesOf<P>, image: Tensor, context: TargetContext): Tensor;
  /** Present where a prediction can be shown as pixels. */
  picture?(p: ValuesOf<P>, context: TargetContext): Picture;
}

export const defineTarget = <const P extends Params>(target: Target<P>): Target<P> => target;
