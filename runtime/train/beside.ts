/** A step of a recipe that stands beside another: its own losses, on the other's weights and moments, by the other's optimizer. */

import {
  frozenBy,
  initialize,
  type ModelProgram,
  namedParameters,
  type Parameter,
  trainedNames,
} from "../../blocks/index.js";
import { randomStream, type StateSlot, type Values, withStateNames } from "../../graph/index.js";
import type { BesideTraining, Phase, Training } from "./contract.js";
import { averagingPhase } from "./follow.js";
import { type TrainingStep, trainingStep } from "./step.js";
import type { Turns } from "./turns.js";

/** `program` and `training`: of the recipe that it stands beside. Running averages are of all weights of that. */
export function stepBeside(
  beside: BesideTraining,
  program: ModelProgram,
  training: Training,
  counters: Counters,
): TrainingStep {
  const { batch, microBatch = batch } = beside.training;
  const counterOf = (weight: string): string => counters.of(beside.weights[weight] ?? weight);
  const own = { ...training, average: null, batch, microBatch, counterOf };
  const { phases, slots, sums } = trainingStep(beside.program, own);
  const nameOf = namesIn(beside);
  const named = (slot: StateSlot): StateSlot => ({
    ...slot,
    name: nameOf(slot.name),
    ...(slot.beside === undefined ? {} : { beside: nameOf(slot.beside) }),
  });
  return {
    phases: [
      ...phases.map(
        (phase): Phase => ({
          ...phase,
          graph: withStateNames(phase.graph, nameOf),
          changes: phase.changes.map(nameOf),
        }),
      ),
      ...(training.average == null ? [] : [averagingPhase(frozenBy(program, training), training.average)]),
    ],
    slots: slots.map(named),
    sums: sums.map(named),
  };
}

/** The name under which a run keeps a weight of the recipe's model, a moment of it or the sum of its gradients. */
function namesIn({ program, weights, name: recipe }: BesideTraining): (slot: string) => string {
  const own = [...namedParameters(program.parameters)].map(([name]) => name);
  const names = new Map(own.map((name) => [name, weights[name] ?? tableName(recipe, name)]));
  // The longest name of a weight that ends the slot's: `optimizer.m.text.norm` is one of `text.norm`, and not of `norm`.
  const weightIn = (slot: string): string | undefined => {
    for (let at = 0; at >= 0; at = slot.indexOf(".", at + 1)) {
      const end = at === 0 ? slot : slot.slice(at + 1);
      if (names.has(end)) return end;
    }
    return undefined;
  };
  return (slot) => {
    const weight = weightIn(slot);
    return weight === undefined ? slot : slot.slice(0, slot.length - weight.length) + names.get(weight);
  };
}

const tableName = (recipe: string, weight: string): string => `${recipe}/${weight}`;

/** The fixed tables that the recipe's model alone has: they follow from it, so that no checkpoint keeps them. */
export const tablesBeside = ({ name: recipe, program, weights }: BesideTraining) =>
  [...namedParameters(program.parameters)].flatMap(([name, parameter]) =>
    weights[name] === undefined ? [tableOf(tableName(recipe, name), parameter)] : [],
  );

const tableOf = (name: string, parameter: Parameter): { readonly slot: StateSlot; readonly values: Float32Array } => ({
  slot: { name, shape: parameter.shape.map(Number), dtype: "float32" },
  values: tableValues(parameter),
});

const tableValues = (parameter: Parameter): Float32Array => initialize(parameter, randomStream(0, "init", 0));

/** The weights of the recipe's model. `weights`: of the model that it stands beside. */
export const weightsBeside = (
  { program, weights: names }: Pick<BesideTraining, "program" | "weights">,
  weights: Readonly<Record<string, Float32Array>>,
): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries(
    [...namedParameters(program.parameters)].map(([name, parameter]) => {
      const kept = names[name];
      return [name, kept === undefined ? tableValues(parameter) : (weights[kept] as Float32Array)];
    }),
  );

/** What counts the updates of weights that not every step moves: as many as there are steps of the recipes that train them. */
export interface Counters {
  /** The feed [] of a weight. */
  readonly of: (weight: string) => string;
  /** At a step, counted from 0: the numbers of the updates in it, or of the next ones. */
  readonly feeds: (step: number) => Values;
}

export function countersOf(program: ModelProgram, beside: readonly BesideTraining[], turns: Turns): Counters {
  const trainedBy = [
    new Set(trainedNames(program)),
    ...beside.map(({ program: other, weights }) => new Set(trainedNames(other).map((name) => weights[name] ?? name))),
  ];
  const recipesOf = (weight: string): readonly number[] =>
    trainedBy.flatMap((names, which) => (names.has(weight) ? [which] : []));
  const nameOf = (recipes: readonly number[]): string =>
    recipes.length === trainedBy.length ? "step" : `step/${recipes.join("+")}`;
  const all = new Map([...(trainedBy[0] as Set<string>)].map((name) => [nameOf(recipesOf(name)), recipesOf(name)]));
  return {
    of: (weight) => nameOf(recipesOf(weight)),
    feeds: (step) =>
      Object.fromEntries(
        [...all].map(([name, recipes]) => [
          name,
          Float32Array.of(1 + recipes.reduce((sum, which) => sum + turns.before(which, step), 0)),
        ]),
      ),
  };
}
