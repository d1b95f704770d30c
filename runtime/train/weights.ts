/** A model's weights as numbers before training: those that it starts from. */

import { initialize, namedParameters, type ParameterTree } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { hash } from "../hash.js";

export type WeightValues = Readonly<Record<string, Float32Array>>;

/**
 * The weights that training starts from. Each has a random stream of its own, keyed by its name, so what two models
 * share starts equal in both. One that follows another starts as that one.
 */
export const initialWeights = (parameters: ParameterTree, seed: number): WeightValues =>
  Object.fromEntries(initialized(parameters, seed));

function* initialized(parameters: ParameterTree, seed: number): Generator<readonly [string, Float32Array]> {
  for (const [name, parameter] of namedParameters(parameters)) {
    yield [name, initialize(parameter, randomStream(seed, "init", hash(parameter.follows ?? name)))];
  }
}

/**
 * The same with weights that are given; one that follows a given weight, and is not given itself, starts as that one. Gives way after
 * each weight: a hundred million random numbers take seconds.
 */
export async function startingWeights(
  parameters: ParameterTree,
  seed: number,
  given: WeightValues = {},
): Promise<WeightValues> {
  const followed = [...namedParameters(parameters)].flatMap(([name, { follows }]) => {
    const values = follows === undefined ? undefined : given[follows];
    return values === undefined ? [] : [[name, values] as const];
  });
  const initial: Record<string, Float32Array> = {};
  for (const [name, values] of initialized(parameters, seed)) {
    initial[name] = values;
    await new Promise(setImmediate);
  }
  return { ...initial, ...Object.fromEntries(followed), ...given };
}
