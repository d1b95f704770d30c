/** A model's weights as numbers: those that training starts from, and those of a checkpoint. */

import { initialize, namedParameters, type ParameterTree } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { readCheckpoint, weightsFrom } from "../checkpoint/checkpoint.js";
import { hash } from "../hash.js";

export type WeightValues = Readonly<Record<string, Float32Array>>;

/**
 * The weights that training starts from. Each has a random stream of its own, keyed by its name, so what two models
 * share starts equal in both. One that follows another starts as that one.
 */
export function initialWeights(parameters: ParameterTree, seed: number): WeightValues {
  return Object.fromEntries(
    [...namedParameters(parameters)].map(([name, parameter]) => [
      name,
      initialize(parameter, randomStream(seed, "init", hash(parameter.follows ?? name))),
    ]),
  );
}

/** The same with weights that are given; one that follows a given weight, and is not given itself, starts as that one. */
export function startingWeights(parameters: ParameterTree, seed: number, given: WeightValues = {}): WeightValues {
  const followed = [...namedParameters(parameters)].flatMap(([name, { follows }]) => {
    const values = follows === undefined ? undefined : given[follows];
    return values === undefined ? [] : [[name, values] as const];
  });
  return { ...initialWeights(parameters, seed), ...Object.fromEntries(followed), ...given };
}

/** The weights of a checkpoint for a model. Throws `run/checkpoint-mismatch` and what reading it throws. */
export const loadWeights = async (path: string, parameters: ParameterTree): Promise<WeightValues> =>
  weightsFrom(await readCheckpoint(path, "weights"), parameters);
