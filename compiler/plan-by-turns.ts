/** What recipes that stand beside each other need together, while their steps take turns on the weights of one model. */

import { frozenBy } from "../blocks/index.js";
import { assemble, programOf } from "./assemble/assemble.js";
import { type EngineMemory, memoryByTurns, type SharedMemory } from "./memory-plan.js";
import type { Model, Recipe, RecipeBeside } from "./model.js";
import type { Plan, StepsPlan } from "./plan.js";
import { freezingOf } from "./settings.js";

export interface PlanByTurns {
  readonly memory: SharedMemory;
  /** Of all together. */
  readonly steps: Pick<StepsPlan, "perEpoch" | "total">;
  /** null: how long they take is not known. */
  readonly seconds: number | null;
}

/** A recipe with its plan; of one that stands beside another, also which of its weights are that other's. */
export interface PlannedRecipe {
  readonly recipe: Recipe;
  readonly model: Model;
  readonly weights?: RecipeBeside["weights"];
  /** With its share of the steps. */
  readonly plan: Plan;
}

/** The first of the recipes is the one that the others stand beside. */
export function planByTurns(
  recipes: readonly PlannedRecipe[],
  { steps, engine }: Pick<PlanByTurns, "steps"> & { readonly engine?: EngineMemory },
): PlanByTurns {
  const parts = recipes.map(({ recipe, model, weights, plan: { memory } }) => {
    const { parameters } = frozenBy(programOf(assemble(model)), freezingOf(recipe));
    return { memory, parameters, isShared: (name: string) => weights !== undefined && Object.hasOwn(weights, name) };
  });
  const seconds = recipes.map(({ plan }) => plan.time?.seconds ?? Number.NaN).reduce((sum, one) => sum + one, 0);
  return { memory: memoryByTurns(parts, engine), steps, seconds: Number.isNaN(seconds) ? null : seconds };
}
