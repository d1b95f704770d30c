/** What a recipe says, in the runtime's terms: for whoever trains a checked recipe from code, as the command line does. */

import type {
  Augment,
  Bound,
  Dataset,
  Definition,
  DurationValue,
  Freezing,
  OfInput,
  Optimizer,
  Probe,
  Schedule,
  Training,
} from "../blocks/index.js";
import type { Recipe, Setting, Use } from "./model.js";

/** The plain values of a recipe that decide how long it trains and with which numbers. */
export interface RunSettings {
  readonly batch: number;
  readonly epochs: number | null;
  readonly steps: number | null;
  readonly seed: number;
}

const numberOf = (recipe: Recipe, name: string): number | null => {
  const value = recipe.settings[name]?.value;
  return typeof value === "number" ? value : null;
};

export function settingsOf(recipe: Recipe): RunSettings {
  return {
    batch: numberOf(recipe, "batch") ?? 1,
    epochs: numberOf(recipe, "epochs"),
    steps: numberOf(recipe, "steps"),
    seed: numberOf(recipe, "seed") ?? 0,
  };
}

/** How often an epoch has each sample. */
export const repeatOf = (recipe: Recipe): number => numberOf(recipe, "repeat") ?? 1;

/** The recipe with another form of each that stands beside it: what is said once for all of them is changed in all. */
export const besideEach = (recipe: Recipe, change: (other: Recipe) => Recipe): Recipe =>
  recipe.beside ? { ...recipe, beside: recipe.beside.map((one) => ({ ...one, recipe: change(one.recipe) })) } : recipe;

/**
 * The recipe with other settings; those beside it have their own batch. Epochs and steps exclude each other: where one is given, the other is
 * unset.
 */
export function withSettings(whole: Recipe, { batch, epochs, steps, seed }: Partial<RunSettings>): Recipe {
  const lasting = Object.fromEntries(
    Object.entries({ epochs, steps, seed }).filter(([, value]) => value !== undefined),
  );
  const recipe = besideEach(whole, (other) => withSettings(other, lasting));
  const length = steps != null ? { steps, epochs: null } : epochs != null ? { epochs, steps: null } : {};
  const settings: Record<string, Setting> = { ...recipe.settings };
  for (const [name, value] of Object.entries({ batch, seed, ...length })) {
    if (value === undefined) continue;
    settings[name] = { value, origin: settings[name]?.origin ?? { how: "default", span: recipe.span } };
  }
  return { ...recipe, settings };
}

/** What stays as it is. */
export const freezingOf = (recipe: Recipe): Freezing => ({
  freeze: (recipe.settings.freeze?.value ?? null) as Exclude<Freezing["freeze"], undefined>,
  freezeBlocks: numberOf(recipe, "freeze_blocks"),
  ...(recipe.trained ? { only: recipe.trained } : {}),
  freezeLast: (recipe.settings.freeze_last?.value ?? null) as DurationValue | null,
});

/** The recipe as training takes it. */
export function trainingOf(recipe: Recipe): Training {
  return {
    data: recipe.data.map((use) => ofInput(bound<Dataset>(use), use)),
    augment: recipe.augment.map((use) => ofInput(bound<Augment>(use), use)),
    optimizer: bound<Optimizer>(recipe.optimizer),
    schedule: bound<Schedule>(recipe.schedule),
    ...settingsOf(recipe),
    repeat: repeatOf(recipe),
    ...(recipe.settings.mix?.value === "proportional" ? { mix: "proportional" as const } : {}),
    clip: numberOf(recipe, "clip"),
    average: numberOf(recipe, "average"),
    ...freezingOf(recipe),
    ...(recipe.settings.on_nan?.value === "rollback" ? { onNan: "rollback" as const } : {}),
    ...(recipe.settings.precision?.value === "bfloat16" ? { precision: "bfloat16" as const } : {}),
    evaluate: recipe.evaluate.map(({ use, every }) => ({ probe: bound<Probe>(use), every })),
  };
}

const ofInput = <B extends Bound>(bound: B, { input }: OfInput<Use>): OfInput<B> => ({
  ...bound,
  ...(input === undefined ? {} : { input }),
});

/** The checker lets only blocks of a slot's own kind into it. */
const bound = <D extends Definition>({ definition, values }: Use): Bound<D> => ({
  definition: definition as D,
  values,
});
