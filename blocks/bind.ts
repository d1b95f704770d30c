/** Blocks with their values filled in, as emitted programs write them: `bindMask(masks.random, { ratio: 0.75 }, grid)`. */

import { type Builder, invariant, type Tensor } from "../graph/index.js";
import type { Axis } from "./arrays.js";
import { withAbsent } from "./block-values.js";
import type { BoundField, FieldBlock, FieldContext } from "./field.js";
import type { Loss } from "./loss/index.js";
import type { Guide, Mask } from "./mask/index.js";
import type { ParameterTree } from "./parameters.js";
import type { Params, ValuesOf, WrittenOf } from "./params.js";
import { feedName } from "./places.js";
import type { GuideFeeds, MaskSampler, ModelProgram, Picture, TeacherProgram } from "./program.js";
import type { Moving } from "./progress.js";
import { type Lattice, tokenCount } from "./sets.js";
import type { Target, TargetContext } from "./target/index.js";
import type { Teacher } from "./teacher/index.js";

export function bindMask<P extends Params>(mask: Mask<P>, written: WrittenOf<P>, grid: Lattice): MaskSampler {
  const values = withAbsent(mask.params, written);
  const { varies } = mask;
  const counts = varies?.counts(values, grid) ?? [];
  return {
    tokens: tokenCount(grid),
    visible: mask.visible(values, grid),
    ...(varies && counts.length > 1
      ? { varies: { counts, count: (progress, random) => varies.count(values, grid, progress, random) } }
      : {}),
    ...(mask.given ? { given: mask.given(values, grid) } : {}),
    ...(mask.shared?.(values) ? { shared: true } : {}),
    ...(mask.alike?.(values) ? { alike: true } : {}),
    sample: (random, field, visible) => mask.sample(values, grid, random, field, visible),
    ...(mask.guide ? { guide: guideFeeds(mask.guide, values, grid) } : {}),
  };
}

const guideFeeds = <P extends Params>(guide: Guide<P>, values: ValuesOf<P>, grid: Lattice): GuideFeeds => ({
  numbers: guide.numbers(values, grid),
  draw: (random) => guide.draw(values, grid, random),
  moving: guide.moving(values),
});

/** A mask over the tokens of several arrays, one array after the other. */
export function bindJointMask<P extends Params>(
  mask: Mask<P>,
  written: WrittenOf<P>,
  grids: readonly Lattice[],
): MaskSampler {
  const { joint } = mask;
  invariant(joint, `${mask.name} lies over several arrays`);
  const values = withAbsent(mask.params, written);
  const counts = grids.map(tokenCount);
  return {
    tokens: counts.reduce((sum, count) => sum + count, 0),
    visible: joint.visible(values, counts),
    sample: (random) => joint.sample(values, counts, random),
  };
}

/** The field that a block asks for. `input`: the array that it is computed of, where a model reads several. */
export function bindField(
  kind: BoundField["kind"],
  block: FieldBlock,
  written: Readonly<Record<string, unknown>>,
  context: FieldContext,
  input?: string,
): BoundField {
  const values = withAbsent(block.params ?? {}, written);
  const field = block.field?.(values, context);
  invariant(field, `${block.name} has a field`);
  return { ...field, kind, block, values, context, ...(input === undefined ? {} : { input }) };
}

/** The teacher's pace. */
export function bindTeacher<P extends Params>(teacher: Teacher<P>, written: WrittenOf<P>): TeacherProgram {
  const values = withAbsent(teacher.params, written);
  return {
    momentum: (progress) => teacher.momentum(values, progress),
    ...(teacher.first?.(values) ? { first: true } : {}),
  };
}

/** The scalars of a loss that move, with the name of its term in front. */
export function bindMoving<P extends Params>(
  loss: Loss<P>,
  written: WrittenOf<P>,
  term: string,
): Readonly<Record<string, Moving>> {
  const moving = loss.moving?.(withAbsent(loss.params, written)) ?? {};
  return Object.fromEntries(Object.entries(moving).map(([name, at]) => [feedName(term, name), at]));
}

export const bindPicture = <P extends Params>(
  target: Target<P>,
  written: WrittenOf<P>,
  context: TargetContext,
): Picture | undefined => target.picture?.(withAbsent(target.params, written), context);

/** The sizes of axes. */
type Sides<A extends readonly Axis[]> = { -readonly [K in keyof A]: A[K]["size"] };

type LiteralArray = { readonly axes: readonly Axis[]; readonly channels: number };

/** A function of arrays whose axes and channels are those of the model's own. */
interface Sees<A extends Readonly<Record<string, LiteralArray>>> {
  features(
    g: Builder,
    w: never,
    arrays: { readonly [K in keyof A]: Tensor<["B", ...Sides<A[K]["axes"]>, A[K]["channels"]]> },
  ): Tensor;
}

/** States that a record is a model of arrays of its shape; gives it back with its own weight types. */
export const defineModel = <T extends ParameterTree, const A extends Readonly<Record<string, LiteralArray>>>(
  model: ModelProgram<T> & { readonly arrays: A } & Sees<NoInfer<A>>,
): ModelProgram<T> => model;
