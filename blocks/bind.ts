/** Blocks with their values filled in, as emitted programs write them: `bindMask(masks.random, { ratio: 0.75 }, grid)`. */

import type { Grid, ImageShape } from "./geometry.js";
import type { Mask } from "./mask/index.js";
import type { ParameterTree } from "./parameters.js";
import type { Params, ValuesOf } from "./params.js";
import type { MaskSampler, ModelProgram, Picture } from "./program.js";
import type { Target } from "./target/index.js";

export const bindMask = <P extends Params>(mask: Mask<P>, values: ValuesOf<P>, grid: Grid): MaskSampler => ({
  visible: mask.visible(values, grid),
  sample: (random) => mask.sample(values, grid, random),
});

export const bindPicture = <P extends Params>(
  target: Target<P>,
  values: ValuesOf<P>,
  context: { readonly image: ImageShape; readonly grid: Grid },
): Picture | undefined => target.picture?.(values, context);

/** States that a record is a model; gives it back with its own weight types. */
export const defineModel = <T extends ParameterTree>(model: ModelProgram<T>): ModelProgram<T> => model;
