/** Blocks with their values filled in, as emitted programs write them: `bindMask(masks.random, { ratio: 0.75 }, grid)`. */

import { type Builder, invariant, type Tensor } from "../graph/index.js";
import type { BoundField, FieldBlock, FieldContext } from "./field.js";
import { type Grid, tokenCount } from "./geometry.js";
import type { Guide, Mask } from "./mask/index.js";
import type { ParameterTree } from "./parameters.js";
import type { Params, ValuesOf } from "./params.js";
import type { GuideFeeds, MaskSampler, ModelProgram, Picture, TeacherProgram } from "./program.js";
import type { Target, TargetContext } from "./target/index.js";
import type { Teacher } from "./teacher/index.js";

export function bindMask<P extends Params>(mask: Mask<P>, values: ValuesOf<P>, grid: Grid): MaskSampler {
  const { varies } = mask;
  const counts = varies?.counts(values, grid) ?? [];
  return {
    visible: mask.visible(values, grid),
    ...(varies && counts.length > 1
      ? { varies: { counts, count: (progress, random) => varies.count(values, grid, progress, random) } }
      : {}),
    ...(mask.shared?.(values) ? { shared: true } : {}),
    sample: (random, field, visible) => mask.sample(values, grid, random, field, visible),
    ...(mask.guide ? { guide: guideFeeds(mask.guide, values, grid) } : {}),
  };
}

const guideFeeds = <P extends Params>(guide: Guide<P>, values: ValuesOf<P>, grid: Grid): GuideFeeds => ({
  numbers: guide.numbers(values, grid),
  draw: (random) => guide.draw(values, grid, random),
  moving: guide.moving(values),
});

/** What stands for a mask where nothing is hidden. */
export const everythingVisible = (grid: Grid): MaskSampler => ({
  visible: tokenCount(grid),
  sample: () => Int32Array.from({ length: tokenCount(grid) }, (_, i) => i),
});

/** The field that a block asks for. */
export function bindField(
  kind: BoundField["kind"],
  block: FieldBlock,
  values: Readonly<Record<string, unknown>>,
  context: FieldContext,
): BoundField {
  const field = block.field?.(values as never, context);
  invariant(field, `${block.name} has a field`);
  return { ...field, kind, block, values, context };
}

/** The teacher's pace. */
export const bindTeacher = <P extends Params>(teacher: Teacher<P>, values: ValuesOf<P>): TeacherProgram => ({
  momentum: (progress) => teacher.momentum(values, progress),
});

export const bindPicture = <P extends Params>(
  target: Target<P>,
  values: ValuesOf<P>,
  context: TargetContext,
): Picture | undefined => target.picture?.(values, context);

/** A function of images whose sizes are those of the model's `image`. */
interface Sees<H extends number, W extends number, C extends number> {
  features(g: Builder, w: never, image: Tensor<["B", H, W, C]>): Tensor;
}

/** States that a record is a model of images of its size; gives it back with its own weight types. */
export const defineModel = <T extends ParameterTree, H extends number, W extends number, C extends number>(
  model: ModelProgram<T> & {
    readonly image: { readonly height: H; readonly width: W; readonly channels: C };
  } & Sees<NoInfer<H>, NoInfer<W>, NoInfer<C>>,
): ModelProgram<T> => model;
