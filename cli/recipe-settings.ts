/** A recipe after the flags of the command line, and as the runtime takes it. */

import type { Augment, Dataset, Definition, Optimizer, Probe, Schedule } from "../blocks/index.js";
import type { Recipe, Setting, Use } from "../compiler/index.js";
import type { Bound, Training } from "../runtime/index.js";
import type { RunSettings } from "./run-directory.js";

/** Flags that change a recipe; absent: as the recipe says. */
export interface SettingFlags {
  readonly batch?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly seed?: number;
}

const numberOf = (recipe: Recipe, name: string): number | null => {
  const value = recipe.settings[name]?.value;
  return typeof value === "number" ? value : null;
};

/** The settings that a run keeps. */
export function settingsOf(recipe: Recipe): RunSettings {
  return {
    batch: numberOf(recipe, "batch") ?? 1,
    epochs: numberOf(recipe, "epochs"),
    steps: numberOf(recipe, "steps"),
    seed: numberOf(recipe, "seed") ?? 0,
  };
}

/** The recipe with other settings; epochs and steps exclude each other, so one given unsets the other. */
export function withFlags(recipe: Recipe, flags: SettingFlags): Recipe {
  const changed: Record<string, number | null> = {};
  if (flags.batch !== undefined) changed.batch = flags.batch;
  if (flags.seed !== undefined) changed.seed = flags.seed;
  if (flags.epochs !== undefined) Object.assign(changed, { epochs: flags.epochs, steps: null });
  if (flags.steps !== undefined) Object.assign(changed, { steps: flags.steps, epochs: null });
  return withValues(recipe, changed);
}

/** The recipe with the settings that a run was started with. */
export const withSettings = (recipe: Recipe, { batch, epochs, steps, seed }: RunSettings): Recipe =>
  withValues(recipe, { batch, epochs, steps, seed });

function withValues(recipe: Recipe, values: Readonly<Record<string, number | null>>): Recipe {
  const settings: Record<string, Setting> = { ...recipe.settings };
  for (const [name, value] of Object.entries(values)) {
    settings[name] = { value, origin: settings[name]?.origin ?? { how: "default", span: recipe.span } };
  }
  return { ...recipe, settings };
}

export function trainingOf(recipe: Recipe): Training {
  const { batch, epochs, steps, seed } = settingsOf(recipe);
  return {
    data: bound<Dataset>(recipe.data),
    augment: recipe.augment.map((use) => bound<Augment>(use)),
    optimizer: bound<Optimizer>(recipe.optimizer),
    schedule: bound<Schedule>(recipe.schedule),
    batch,
    epochs,
    steps,
    seed,
    clip: numberOf(recipe, "clip"),
    evaluate: recipe.evaluate.map(({ use, every }) => ({ probe: bound<Probe>(use), every })),
  };
}

/** The checker lets only blocks of a slot's own kind into it. */
const bound = <D extends Definition>({ definition, values }: Use): Bound<D> => ({
  definition: definition as D,
  values,
});
