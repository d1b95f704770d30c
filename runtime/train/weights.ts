/** A model's weights between their three forms: declared, as tensors of a graph, and as numbers. */

import { initialize, isParameter, namedParameters, type ParameterTree, type Weights } from "../../blocks/index.js";
import { type Builder, randomStream, type Tensor } from "../../graph/index.js";
import { readCheckpoint, weightsFrom } from "../checkpoint/checkpoint.js";

export type WeightValues = Readonly<Record<string, Float32Array>>;

/** Declares every parameter as state under its dotted name; gives the tensors in the nesting that a program expects. */
export function weightsOf<T extends ParameterTree>(g: Builder, parameters: T): Weights<T> {
  const declare = (tree: ParameterTree, path: string): unknown => {
    if (isParameter(tree)) return g.state(path, tree.shape);
    const below = (key: string, branch: ParameterTree) => declare(branch, path === "" ? key : `${path}.${key}`);
    if (Array.isArray(tree)) return tree.map((branch: ParameterTree, i) => below(String(i), branch));
    return Object.fromEntries(Object.entries(tree).map(([key, branch]) => [key, below(key, branch as ParameterTree)]));
  };
  return declare(parameters, "") as Weights<T>;
}

/** The tensors of `weightsOf` by name, in declaration order. */
export function namedWeights(parameters: ParameterTree, weights: unknown): ReadonlyMap<string, Tensor> {
  const at = (path: string): unknown =>
    path.split(".").reduce((node, key) => (node as Readonly<Record<string, unknown>>)[key], weights);
  return new Map([...namedParameters(parameters)].map(([name]) => [name, at(name) as Tensor]));
}

/**
 * The weights that training starts from. Each has a random stream of its own, keyed by its name, so what two models
 * share starts equal in both.
 */
export function initialWeights(parameters: ParameterTree, seed: number): WeightValues {
  return Object.fromEntries(
    [...namedParameters(parameters)].map(([name, parameter]) => [
      name,
      initialize(parameter, randomStream(seed, "init", hash(name))),
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
