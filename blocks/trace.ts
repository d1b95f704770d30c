/** Declares the tensors that a model's functions take, in the graph that is being traced: weights as state, a batch as feeds. */

import { type Builder, invariant, type Tensor } from "../graph/index.js";
import { type ArrayShape, type ImageShape, pictured } from "./arrays.js";
import { placesInOrder } from "./nn/index.js";
import { mapParameters, namedParameters, type ParameterTree, type Weights } from "./parameters.js";
import type { Batch, GuideFeeds, ModelProgram } from "./program.js";
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

/** The array that a model reads, and its name. */
export function arrayOf({ arrays }: Pick<ModelProgram, "arrays">): {
  readonly name: string;
  readonly shape: ArrayShape;
} {
  const [only, another] = Object.entries(arrays);
  invariant(only && !another, "a model reads one array");
  return { name: only[0], shape: only[1] };
}

/** The pictures that a model reads, where it reads pictures. */
export const imageOf = (program: Pick<ModelProgram, "arrays">): ImageShape => pictured(arrayOf(program).shape);

/** Declares the feed of the array alone: all that a model of classes predicts from. */
export function arrayInput(g: Builder, program: Pick<ModelProgram, "arrays">): Tensor {
  const { name, shape } = arrayOf(program);
  return g.input(name, ["B", ...shape.axes.map(({ size }) => size), shape.channels]);
}

/** The same as a batch, which has nothing else. */
export const arrayBatch = (g: Builder, program: Pick<ModelProgram, "arrays">): Batch =>
  ({ [arrayOf(program).name]: arrayInput(g, program) }) as Readonly<Record<string, Tensor>> as Batch;

/**
 * Declares the feeds of the array, `visible`, `hidden`, `restore`, the fields that the graph reads, and what a guided mask is fed: `draws`
 * and scalars. A model of classes reads no mask, and has nothing of it.
 */
export function batchInputs(
  g: Builder,
  { arrays, grid, mask, fields, classes }: Pick<ModelProgram, "arrays" | "grid" | "mask" | "fields" | "classes">,
): Batch {
  const tokens = tokenCount(grid);
  const declared = Object.entries(fields ?? {})
    .filter(([, field]) => field.kind !== "mask")
    .map(([name, { shape, dtype }]) => [name, g.input(name, ["B", ...shape], dtype)] as const);
  const seen: Readonly<Record<string, Tensor>> = {
    ...Object.fromEntries(declared),
    ...arrayBatch(g, { arrays }),
  };
  if (classes !== undefined) return seen as Batch;
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
