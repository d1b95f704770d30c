/** The phases of a training step: which losses of a program are brought down together, and which weights each of them trains. */

import { namedParameters } from "./parameters.js";
import type { ModelProgram } from "./program.js";

/** A loss of a program and the weights that it trains. */
export interface Trainee {
  readonly loss: ModelProgram["loss"];
  /** In declaration order. */
  readonly names: readonly string[];
}

/** Names of the weights that training changes by gradients. */
export const trainedNames = ({ parameters }: Pick<ModelProgram, "parameters">): readonly string[] =>
  [...namedParameters(parameters)].flatMap(([name, { trainable }]) => (trainable ? [name] : []));

const isUnder = (branches: readonly string[], name: string): boolean =>
  branches.some((branch) => name === branch || name.startsWith(`${branch}.`));

/** The losses of each phase: the model's alone, and an adversary's beside it or after it. */
export function phasesOf(program: ModelProgram): readonly (readonly [Trainee, ...Trainee[]])[] {
  const trained = trainedNames(program);
  const { adversary } = program;
  const loss: Trainee["loss"] = (g, w, batch) => program.loss(g, w, batch);
  if (!adversary) return [[{ loss, names: trained }]];
  const model = { loss, names: trained.filter((name) => !isUnder(adversary.own, name)) };
  const against: Trainee = {
    loss: (g, w, batch) => adversary.loss(g, w, batch),
    names: trained.filter((name) => isUnder([...adversary.own, ...adversary.shared], name)),
  };
  return adversary.update === "joint" ? [[model, against]] : [[model], [against]];
}
