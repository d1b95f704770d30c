/** The colour normalisation of a recipe, to be undone before anything is shown. */

import { type ArrayShape, type Augment, augmentContext, augmentsOf, type ModelProgram } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import type { Bound } from "../train/contract.js";

/** What the model sees is (x - mean) / std by channel, with x in [0, 1]. */
export interface ColourScale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** All normalisations of an array, joined; null when there is none. `augment`: what is done to it. */
export function colourScale(augment: readonly Bound<Augment>[], array: ArrayShape): ColourScale | null {
  const random = randomStream(0, "augment");
  const context = augmentContext(array);
  const steps = augment
    .flatMap(({ definition, values }) => definition.plan(values, context.image, context, random))
    .filter((step) => step.kind === "normalize");
  if (steps.length === 0) return null;
  const channels = Array.from({ length: array.channels }, (_, c) => {
    let [mean, std] = [0, 1];
    for (const step of steps) {
      mean += std * (step.mean[c] as number);
      std *= step.std[c] as number;
    }
    return { mean, std };
  });
  return { mean: channels.map(({ mean }) => mean), std: channels.map(({ std }) => std) };
}

/** The same of each array of a model, by its name, under the augmentations of a recipe. */
export const coloursOf =
  (augment: readonly Bound<Augment>[], arrays: ModelProgram["arrays"]) =>
  (array: string): ColourScale | null =>
    colourScale(augmentsOf(augment, array, arrays), arrays[array] as ArrayShape);

/** [..., C] as the model sees it -> the same in [0, 1] for colours that exist, beyond it for others. */
export const withoutNormalization = (values: Float32Array, { mean, std }: ColourScale): Float32Array =>
  values.map((value, at) => value * (std[at % std.length] as number) + (mean[at % mean.length] as number));

/** The reverse: [..., C] in [0, 1] -> as the model sees it. */
export const withNormalization = (values: Float32Array, { mean, std }: ColourScale): Float32Array =>
  values.map((value, at) => (value - (mean[at % mean.length] as number)) / (std[at % std.length] as number));
