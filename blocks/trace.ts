/** Declares the tensors that a model's functions take, in the graph that is being traced: weights as state, a batch as feeds. */

import { type Builder, invariant, type Rows, type Tensor } from "../graph/index.js";
import { type ArrayShape, type ImageShape, pictured } from "./arrays.js";
import { placesInOrder } from "./nn/index.js";
import { mapParameters, namedParameters, type ParameterTree, type Weights } from "./parameters.js";
import { type FedMask, feedName, guideNames, masksOf, trainedMasksOf } from "./places.js";
import type { Arrays, Batch, GuideFeeds, MaskSampler, ModelProgram } from "./program.js";
import { tokenCount } from "./sets.js";

/** Declares every parameter as state under its dotted name; gives the tensors in the nesting that a program expects. */
export const weightsOf = <T extends ParameterTree>(g: Builder, parameters: T): Weights<T> =>
  mapParameters(parameters, ({ shape }, name) => g.state(name, shape)) as Weights<T>;

/** The tensors of `weightsOf` by name, in declaration order. */
export function namedWeights(parameters: ParameterTree, weights: unknown): ReadonlyMap<string, Tensor> {
  const at = (path: string): unknown =>
    path.split(".").reduce((node, key) => (node as Readonly<Record<string, unknown>>)[key], weights);
  return new Map([...namedParameters(parameters)].map(([name]) => [name, at(name) as Tensor]));
}

/** The array of a model that reads one, and its name. */
export function arrayOf({ arrays }: Pick<ModelProgram, "arrays">): {
  readonly name: string;
  readonly shape: ArrayShape;
} {
  const [only, another] = Object.entries(arrays);
  invariant(only && !another, "what reads one array alone is asked of such models");
  return { name: only[0], shape: only[1] };
}

/** The pictures that a model reads, where it reads pictures. */
export const imageOf = (program: Pick<ModelProgram, "arrays">): ImageShape => pictured(arrayOf(program).shape);

/** Declares the feeds of the arrays alone: all that features and classes are computed from. */
export const arrayInputs = (g: Builder, { arrays }: Pick<ModelProgram, "arrays">): Arrays =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { axes, channels }]) => [
      name,
      g.input(name, ["B", ...axes.map(({ size }) => size), channels]),
    ]),
  );

/**
 * What a batch is for: where a model is trained, parts of it may be left out at random, and it may see views of samples. `recording`: for
 * all functions of a model.
 */
export type Purpose = "training" | "judging" | "recording";

/** Rows of so many views of each sample. */
export const rowsOf = (count: number): Rows => (count === 1 ? "B" : `${count}B`);

/** Declares the feeds of views. */
const viewInputs = (g: Builder, views: NonNullable<ModelProgram["views"]>): Batch =>
  Object.fromEntries(
    Object.entries(views).map(([name, { count, array }]) => [
      name,
      g.input(name, [rowsOf(count), ...array.axes.map(({ size }) => size), array.channels]),
    ]),
  );

/** The name of what is fed for parts that are left out at random. */
export const dropsInput = "drops";

/** The name of the codes that are fed in place of those of an array, where a model generates some. */
export const codesInput = "codes";

/** What is fed for parts that are left out at random: of how many rows of each sample, by name. */
export const dropFeeds = ({
  drops = [],
  views,
}: Pick<ModelProgram, "drops" | "views">): readonly { readonly name: string; readonly rows: number }[] =>
  drops.length === 0
    ? []
    : views
      ? Object.entries(views).map(([name, { count }]) => ({ name: feedName(name, dropsInput), rows: count }))
      : [{ name: dropsInput, rows: 1 }];

/** Numbers of a row of those feeds. */
export const dropNumbers = ({ drops = [] }: Pick<ModelProgram, "drops">): number =>
  drops.reduce((sum, drop) => sum + drop.numbers, 0);

const dropInputs = (g: Builder, program: Pick<ModelProgram, "drops" | "views">): Batch =>
  Object.fromEntries(
    dropFeeds(program).map(({ name, rows }) => [name, g.input(name, [rowsOf(rows), dropNumbers(program)])]),
  );

/** What is fed in training alone: views, what is left out, and scalars that move. */
const trainingInputs = (g: Builder, program: Pick<ModelProgram, "drops" | "views" | "moving">): Batch => ({
  ...viewInputs(g, program.views ?? {}),
  ...dropInputs(g, program),
  ...Object.fromEntries(Object.keys(program.moving ?? {}).map((name) => [name, g.input(name, [])])),
});

/** Declares the feed of codes in place of those of the array, of a model that can generate such. */
export const codeInputs = (g: Builder, { codes, grids }: Pick<ModelProgram, "codes" | "grids">): Batch => {
  const [grid = []] = Object.values(grids);
  return codes ? { [codesInput]: g.input(codesInput, ["B", tokenCount(grid)], "int32") } : {};
};

/** What of a model its feeds follow from. */
type Fed = Pick<ModelProgram, "arrays" | "codes" | "grids" | "masks" | "fields" | "drops" | "views" | "moving">;

/**
 * Declares the feeds of the arrays, of the places of tokens, the fields that the graph reads, and what a guided mask is fed: `draws`
 * and scalars. In training, also what is left out at random, and views in place of arrays.
 */
export function batchInputs(g: Builder, program: Fed, purpose: Purpose = "judging"): Batch {
  const { arrays, fields, views } = program;
  const declared = Object.entries(fields ?? {})
    .filter(([, field]) => field.kind !== "mask" || field.fed)
    .map(([name, { shape, dtype }]) => [name, g.input(name, ["B", ...shape], dtype)] as const);
  const seesViews = views !== undefined && purpose === "training";
  const seen: Batch = {
    ...Object.fromEntries(declared),
    ...(seesViews ? {} : arrayInputs(g, { arrays })),
    ...(purpose === "judging" ? {} : trainingInputs(g, program)),
    ...(purpose === "recording" ? codeInputs(g, program) : {}),
  };
  const places = masksFor(program, purpose).map((mask) => maskInputs(g, mask));
  return Object.assign({}, seen, ...places);
}

const masksFor = (program: Fed, purpose: Purpose): readonly FedMask[] => {
  if (purpose === "judging" || program.views === undefined) return masksOf(program);
  return [...(purpose === "recording" ? masksOf(program) : []), ...trainedMasksOf(program)];
};

const maskInputs = (g: Builder, { mask: { guide, tokens, visible }, feeds, label, rows }: FedMask): Batch => ({
  ...(guide ? guideInputs(g, guide, label) : {}),
  [feeds.visible]: g.input(feeds.visible, [rowsOf(rows), visible], "int32"),
  [feeds.hidden]: g.input(feeds.hidden, [rowsOf(rows), tokens - visible], "int32"),
  [feeds.restore]: g.input(feeds.restore, [rowsOf(rows), tokens], "int32"),
});

function guideInputs(g: Builder, { numbers, moving }: GuideFeeds, label: string | null): Batch {
  const names = guideNames(label);
  const scalars = Object.keys(moving).map((name) => [names.moving(name), g.input(names.moving(name), [])] as const);
  return { [names.draws]: g.input(names.draws, ["B", numbers]), ...Object.fromEntries(scalars) };
}

/** `batchInputs`, with the places of visible and hidden tokens that the model decides on itself, where it does. */
export function maskedBatch<T extends ParameterTree>(
  g: Builder,
  program: ModelProgram<T>,
  weights: Weights<T>,
  purpose: Purpose = "judging",
): Batch {
  const batch = batchInputs(g, program, purpose);
  const decided = masksOf(program).flatMap(({ name, feeds }): readonly (readonly [string, Tensor])[] => {
    const order = program.guides?.[name]?.order(g, weights, batch);
    if (!order) return [];
    const [size, tokens] = order.shape as readonly [number, number];
    const visible = (batch[feeds.visible] as Tensor).shape[1] as number;
    return [
      [feeds.visible, g.slice(order, [0, 0], [size, visible])],
      [feeds.hidden, g.slice(order, [0, visible], [size, tokens - visible])],
      [feeds.restore, placesInOrder(g, order)],
    ];
  });
  return { ...batch, ...Object.fromEntries(decided) };
}

/** Numbers of visible tokens, by the names of the masks in which they vary. */
export type VisibleOf = Readonly<Record<string, number>>;

/** The masks whose number of visible tokens varies from batch to batch, those over views included. */
export const varyingMasks = ({
  masks,
  views = {},
}: Pick<ModelProgram, "masks" | "views">): readonly {
  readonly name: string;
  readonly mask: MaskSampler;
  readonly varies: NonNullable<MaskSampler["varies"]>;
}[] =>
  [...Object.entries(masks), ...Object.entries(views).map(([name, { mask }]) => [name, mask] as const)].flatMap(
    ([name, mask]) => (mask?.varies ? [{ name, mask, varies: mask.varies }] : []),
  );

/** The same model for batches with these numbers of visible tokens under the masks in which they vary. */
export function withVisible<T extends ParameterTree>(program: ModelProgram<T>, visible: VisibleOf): ModelProgram<T> {
  const seen = (name: string, mask: MaskSampler): MaskSampler =>
    mask.varies ? { ...mask, visible: visible[name] ?? mask.visible } : mask;
  const masks = Object.entries(program.masks).map(([name, mask]) => [name, seen(name, mask)]);
  const views = Object.entries(program.views ?? {}).map(([name, view]) => [
    name,
    view.mask ? { ...view, mask: seen(name, view.mask) } : view,
  ]);
  return {
    ...program,
    masks: Object.fromEntries(masks),
    ...(program.views ? { views: Object.fromEntries(views) } : {}),
  };
}
