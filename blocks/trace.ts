/** Declares the tensors that a model's functions take, in the graph that is being traced: weights as state, a batch as feeds. */

import type { Builder, Tensor } from "../graph/index.js";
import { tokenCount } from "./geometry.js";
import { placesInOrder } from "./nn/index.js";
import { mapParameters, namedParameters, type ParameterTree, type Weights } from "./parameters.js";
import type { Batch, GuideFeeds, ModelProgram } from "./program.js";

/** Declares every parameter as state under its dotted name; gives the tensors in the nesting that a program expects. */
export const weightsOf = <T extends ParameterTree>(g: Builder, parameters: T): Weights<T> =>
  mapParameters(parameters, ({ shape }, name) => g.state(name, shape)) as Weights<T>;

/** The tensors of `weightsOf` by name, in declaration order. */
export function namedWeights(parameters: ParameterTree, weights: unknown): ReadonlyMap<string, Tensor> {
  const at = (path: string): unknown =>
    path.split(".").reduce((node, key) => (node as Readonly<Record<string, unknown>>)[key], weights);
  return new Map([...namedParameters(parameters)].map(([name]) => [name, at(name) as Tensor]));
}

/** Declares the feed `image` alone: all that a model of classes predicts from. */
export const imageInput = (g: Builder, { image }: Pick<ModelProgram, "image">): Batch => {
  const only: Pick<Batch, "image"> = { image: g.input("image", ["B", image.height, image.width, image.channels]) };
  return only as Batch;
};

/**
 * Declares the feeds `image`, `visible`, `hidden`, `restore`, the fields that the graph reads, and what a guided mask is fed: `draws`
 * and scalars. A model of classes reads no mask, and has nothing of it.
 */
export function batchInputs(
  g: Builder,
  { image, grid, mask, fields, classes }: Pick<ModelProgram, "image" | "grid" | "mask" | "fields" | "classes">,
): Batch {
  const tokens = tokenCount(grid);
  const declared = Object.entries(fields ?? {})
    .filter(([, field]) => field.kind !== "mask")
    .map(([name, { shape, dtype }]) => [name, g.input(name, ["B", ...shape], dtype)] as const);
  const seen = { ...Object.fromEntries(declared), ...imageInput(g, { image }) };
  if (classes !== undefined) return seen;
  return {
    ...seen,
    ...(mask.guide ? guideInputs(g, mask.guide) : {}),
    visible: g.input("visible", ["B", mask.visible], "int32"),
    hidden: g.input("hidden", ["B", tokens - mask.visible], "int32"),
    restore: g.input("restore", ["B", tokens], "int32"),
  };
}

const guideInputs = (g: Builder, { numbers, moving }: GuideFeeds): Readonly<Record<string, Tensor>> => ({
  draws: g.input("draws", ["B", numbers]),
  ...Object.fromEntries(Object.keys(moving).map((name) => [name, g.input(name, [])])),
});

/** `batchInputs`, with the places of visible and hidden tokens that the model decides on itself, where it does. */
export function maskedBatch<T extends ParameterTree>(g: Builder, program: ModelProgram<T>, weights: Weights<T>): Batch {
  const batch = batchInputs(g, program);
  if (!program.guide) return batch;
  const order = program.guide(g, weights, batch);
  const [size, tokens] = order.shape as readonly [number, number];
  const visible = batch.visible.shape[1] as number;
  return {
    ...batch,
    visible: g.slice(order, [0, 0], [size, visible]),
    hidden: g.slice(order, [0, visible], [size, tokens - visible]),
    restore: placesInOrder(g, order),
  };
}

/** The same model for batches with this number of visible tokens. */
export const withVisible = <T extends ParameterTree>(program: ModelProgram<T>, visible: number): ModelProgram<T> =>
  visible === program.mask.visible ? program : { ...program, mask: { ...program.mask, visible } };
