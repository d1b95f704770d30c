/** A model's weights as numbers: those that training starts from, and those of a checkpoint. */

import { initialize, namedParameters, type ParameterTree } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { readCheckpoint, weightsFrom } from "../checkpoint/checkpoint.js";

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

/** FNV-1a, 32 bits, of the UTF-16 code units. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return state;
}

/** The weights of a checkpoint for a model. Throws `run/checkpoint-mismatch` and what reading it throws. */
export const loadWeights = async (path: string, parameters: ParameterTree): Promise<WeightValues> =>
  weightsFrom(await readCheckpoint(path), parameters);
