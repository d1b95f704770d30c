/** `mae plan` of recipes that stand beside each other: what each costs, and what all need together. */

import {
  type PlanOptions as Assumptions,
  type Model,
  type PlanByTurns,
  type PlannedRecipe,
  planByTurns,
  plan as planOf,
  type Recipe,
  type RecipeStart,
  repeatOf,
  type StepsPlan,
  settingsOf,
  trainingOf,
} from "../../compiler/index.js";
import { engineOf } from "../machine/process-memory.js";
import { duration } from "../words/progress.js";
import { type Colors, print, printJson, stdoutColors } from "../words/terminal.js";
import { assumptionsOf, optionsOfEach, type PlanOfOne, type PlanOptions } from "./plan-assumptions.js";
import {
  memoryRows,
  notesOf,
  planDocument,
  planTable,
  row,
  startDocument,
  startRows,
  stepsText,
} from "./plan-table.js";

interface Mixture {
  readonly model: Model;
  /** That others stand beside. */
  readonly recipe: Recipe;
  readonly start: RecipeStart | null;
}

export async function planBeside({ model, recipe, start }: Mixture, options: PlanOptions): Promise<void> {
  const { recipes, together } = await planned(model, recipe, options);
  const [first, ...others] = recipes.map(({ plan }) => planDocument(plan));
  if (options.json) {
    const all = { ...first, ...startDocument(start), beside: others, by_turns: turnsDocument(together) };
    printJson({ format_version: "1.0", ...all });
    return;
  }
  const colors = stdoutColors();
  const tables = recipes.map((one) => planTable(one.plan, notesOf(one.model, one.plan), colors));
  const sections = [...tables, [...turnsRows(recipes, together, colors), ...startRows(start)]];
  print(`${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

interface Planned {
  readonly recipes: readonly PlannedRecipe[];
  readonly together: PlanByTurns;
}

async function planned(model: Model, recipe: Recipe, options: PlanOptions): Promise<Planned> {
  const { beside = [] } = recipe;
  const [own, ...others] = optionsOfEach(1 + beside.length, options);
  const { ofRecipe } = await import("../../runtime/index.js");
  const all: Assumed[] = [{ model, recipe, of: await ofRecipe(recipe.name, assumptionsOf(model, recipe, own)) }];
  for (const [i, one] of beside.entries()) {
    const of = ofBeside(one.recipe, others[i] as PlanOfOne);
    all.push({ ...one, of: await ofRecipe(one.recipe.name, assumptionsOf(one.model, one.recipe, of)) });
  }
  const { each, steps } = await turnsIn(recipe, all.map(perEpoch));
  const recipes = all.map(({ of, ...one }, i): PlannedRecipe => {
    const share: StepsPlan = { ...(each[i] as Steps), samples: of.samples ?? null };
    return { ...one, plan: planOf(one.model, { ...of, steps: share }) };
  });
  const engine = engineOf(options.backend);
  return { recipes, together: planByTurns(recipes, { steps, ...(engine ? { engine } : {}) }) };
}

/** A recipe with what its plan goes by. */
interface Assumed extends Omit<PlannedRecipe, "plan"> {
  readonly of: Assumptions;
}

/** What is asked for of a recipe beside another: its batch is its own, and it is cut alike where its batch has such parts. */
function ofBeside(recipe: Recipe, { batch: _, microBatch, ...options }: PlanOfOne): PlanOfOne {
  const fits = microBatch !== undefined && settingsOf(recipe).batch % microBatch === 0;
  return fits ? { ...options, microBatch } : options;
}

/** Steps of an epoch of a recipe alone; null: its data are not here. */
function perEpoch({ recipe, of: { samples, batch = settingsOf(recipe).batch } }: Assumed): number | null {
  return samples === undefined ? null : Math.floor((samples * repeatOf(recipe)) / batch);
}

type Steps = PlanByTurns["steps"];

/** How many steps there are of each recipe, and of all; null where that follows from data that are not here. */
async function turnsIn(
  recipe: Recipe,
  alone: readonly (number | null)[],
): Promise<{ readonly each: readonly Steps[]; readonly steps: Steps }> {
  const { lengthInTurns, turnsOf } = await import("../../runtime/index.js");
  const training = trainingOf(recipe);
  const { mix = "alternate" } = training;
  const known = mix === "alternate" ? alone[0] !== null : alone.every((one) => one !== null);
  if (!known && (mix === "proportional" || training.steps === null)) {
    const none = { perEpoch: null, total: null };
    return { each: alone.map(() => none), steps: { ...none, total: training.steps } };
  }
  const turns = turnsOf(
    mix,
    alone.map((one) => one ?? 1),
  );
  const { stepsPerEpoch, totalSteps } = lengthInTurns(turns, training);
  const stepsOf = (before: (steps: number) => number): Steps => ({
    perEpoch: known ? before(stepsPerEpoch) : null,
    total: before(totalSteps),
  });
  return {
    each: alone.map((_, which) => stepsOf((steps) => turns.before(which, steps))),
    steps: stepsOf((steps) => steps),
  };
}

function turnsRows(recipes: readonly PlannedRecipe[], together: PlanByTurns, colors: Colors): readonly string[] {
  const { memory, steps, seconds } = together;
  return [
    colors.bold(`${recipes.map(({ recipe }) => recipe.name).join(", ")} by turns`),
    row("steps", stepsText(steps)),
    ...memoryRows(memory, "all of them"),
    ...(seconds === null ? [] : [row("time", `about ${duration(seconds)}`)]),
  ];
}

const turnsDocument = ({ memory, steps, seconds }: PlanByTurns) => ({
  steps: { per_epoch: steps.perEpoch, total: steps.total },
  memory,
  seconds,
});
