/**
 * The schedule of a training that options make shorter than its text says: its times keep their share of the training. A
 * short try of a recipe with a long warm-up would otherwise end before the learning rate has risen.
 */

import type { DurationValue, SampleIndex } from "../../blocks/index.js";
import {
  arraysOf,
  besideEach,
  type Model,
  type Recipe,
  settingsOf,
  trainingOf,
  valueText,
  withSettings,
} from "../../compiler/index.js";
import type { SettingFlags } from "../options.js";
import type { RunSettings, ShorterTimes } from "./run-directory.js";

/** A recipe as it is trained anew, and what of its schedule is shorter than in the text. */
export interface Shortened {
  readonly recipe: Recipe;
  readonly times: ShorterTimes;
  /** Its data, where they had to be opened for that; null: they were not. */
  readonly opened: SampleIndex | null;
}

/** The recipe after the flags. Opens the data where only their size tells how long a training is. Throws what opening them does. */
export async function shortened(model: Model, written: Recipe, flags: SettingFlags): Promise<Shortened> {
  const recipe = withSettings(written, flags);
  const durations = durationsOf(recipe);
  if ((flags.steps === undefined && flags.epochs === undefined) || durations.length === 0) {
    return { recipe, times: {}, opened: null };
  }
  const [before, after] = [lengthOf(settingsOf(written)), lengthOf(settingsOf(recipe))];
  const units = new Set([before, after, ...durations.map(([, value]) => value)].map(({ unit }) => unit));
  const opened = units.size > 1 ? await openedFor(model, recipe) : null;
  const stepsPerEpoch = opened?.stepsPerEpoch ?? 1;
  const index = opened?.index ?? null;
  const amountOf = ({ amount, unit }: DurationValue): number =>
    unit === after.unit ? amount : unit === "epochs" ? amount * stepsPerEpoch : amount / stepsPerEpoch;
  const all = amountOf(before);
  if (!(after.amount < all)) return { recipe, times: {}, opened: index };
  const times = Object.fromEntries(
    durations.map(([name, from]): [string, ShorterTimes[string]] => {
      const amount = (amountOf(from) * after.amount) / all;
      const whole = after.unit === "steps" && amount >= 1 ? Math.floor(amount) : Number(amount.toPrecision(3));
      return [name, { from, to: { amount: whole, unit: after.unit } }];
    }),
  );
  return { recipe: withTimes(recipe, times), times, opened: index };
}

/** The recipe with the times of a run's schedule, where its text still says what the run was started from. */
export function withTimes(whole: Recipe, times: ShorterTimes): Recipe {
  const recipe = besideEach(whole, (other) => withTimes(other, times));
  const values = { ...recipe.schedule.values };
  for (const [name, from] of durationsOf(recipe)) {
    const time = Object.hasOwn(times, name) ? times[name] : undefined;
    if (time && time.from.amount === from.amount && time.from.unit === from.unit) values[name] = time.to;
  }
  return { ...recipe, schedule: { ...recipe.schedule, values } };
}

/** `warmup 40 epochs becomes 2 steps: ...`, a line for each. */
export const shorterNotes = ({ schedule }: Recipe, times: ShorterTimes): readonly string[] =>
  Object.entries(times).map(([name, { from, to }]) => {
    const text = (value: DurationValue) => valueText({ kind: "duration", min: 0 }, value);
    return `${name} of ${schedule.definition.name}: ${text(from)} become ${text(to)}, the same share of the shorter training`;
  });

/** The times in a schedule that are not 0. */
const durationsOf = ({ schedule }: Recipe): readonly (readonly [string, DurationValue])[] =>
  Object.entries(schedule.definition.params).flatMap(([name, { type }]) => {
    const value = schedule.values[name] as DurationValue | null;
    return type.kind === "duration" && value && value.amount > 0 ? [[name, value] as const] : [];
  });

const lengthOf = ({ epochs, steps }: RunSettings): DurationValue =>
  steps === null ? { amount: epochs ?? 0, unit: "epochs" } : { amount: steps, unit: "steps" };

async function openedFor(
  model: Model,
  recipe: Recipe,
): Promise<{ readonly index: SampleIndex; readonly stepsPerEpoch: number }> {
  const { lengthOf, openData } = await import("../../runtime/index.js");
  const training = trainingOf(recipe);
  const index = await openData(training.data, "train", process.cwd(), { arrays: arraysOf(model) });
  return { index, stepsPerEpoch: lengthOf(training, index.length).stepsPerEpoch };
}
