/**
 * Whether a run may go on: with the spec, the blocks and the settings that it was started with. What goes on otherwise
 * would end as something that no text describes.
 */

import { type Model, type Recipe, render, settingsOf, withSettings } from "../../compiler/index.js";
import { changedFiles, type Vocabulary } from "../config/index.js";
import type { SettingFlags } from "../options.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { firstDifference, meaningIn } from "./open-checkpoint.js";
import { type RunFacts, type RunSettings, readRunFacts, readRunSpec } from "./run-directory.js";
import { readRunState } from "./run-state.js";
import { withTimes } from "./shorter-schedule.js";

/** What a run is of. */
export interface Trained {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly vocabulary: Vocabulary;
}

/**
 * The recipe of a run that goes on: with the run's own settings, where no flag says otherwise.
 *
 * Throws a `Failure` when the spec, or a block file that it stands on, has changed since the run was started.
 */
export function continued(
  { model, recipe: written, vocabulary }: Trained,
  directory: string,
  flags: SettingFlags,
): Recipe {
  const facts = readRunFacts(directory);
  const recipe = withTimes(written, facts.shorter ?? {});
  const [file] = changedFiles(facts.project, vocabulary);
  if (file !== undefined) {
    throw runFailure(`${file} is not as it was when the run was started`, {
      reason: "The rest of the run would train with another block than its beginning.",
      help: "start a new run with --out, or take the change back",
    });
  }
  const then = meaningIn(readRunSpec(directory));
  const now = meaningIn(render(model, withSettings(recipe, settingsNow(recipe, facts, flags)), { origin: false }));
  const changed = firstDifference(then, now);
  if (changed !== null) {
    const { before, after } = changed;
    throw runFailure("the spec has changed since the run was started", {
      reason: `The run has "${before}" where the spec now says "${after}".`,
      help:
        `go on with the spec that the run keeps (${printedPath(directory)}/spec.mae), or start a new run: --out, or ` +
        "--force in the same folder; --steps and --epochs make a run longer",
    });
  }
  return withSettings(withSettings(recipe, facts.settings), flags);
}

/** The settings of a run, but what the text has changed since: that as the text has it now. A flag may change the length. */
function settingsNow(recipe: Recipe, { settings, written }: RunFacts, flags: SettingFlags): RunSettings {
  const now = settingsOf(recipe);
  const before = written ?? now;
  const isLengthTold = flags.steps !== undefined || flags.epochs !== undefined;
  const isAsLong = isLengthTold || (now.epochs === before.epochs && now.steps === before.steps);
  return {
    batch: now.batch === before.batch ? settings.batch : now.batch,
    epochs: isAsLong ? settings.epochs : now.epochs,
    steps: isAsLong ? settings.steps : now.steps,
    seed: now.seed === before.seed ? settings.seed : now.seed,
  };
}

const settingNames = ["batch", "epochs", "steps", "seed"] as const;

/**
 * Refuses options under which a run that is one of several would not have been started: a family is compared, a pipeline
 * judged, as one training. Of `longer` runs more steps are asked, which is no other setting.
 *
 * Throws a `Failure` that says what was meant.
 */
export function checkSettings(
  recipe: Recipe,
  directory: string,
  flags: SettingFlags,
  { longer }: { readonly longer: boolean },
): void {
  const { settings } = readRunFacts(directory);
  const wanted = settingsOf(withSettings(recipe, flags));
  const written = settingsOf(recipe);
  const { step } = readRunState(directory);
  const isReached = flags.steps !== undefined && (longer ? flags.steps >= step : flags.steps === step);
  const other = settingNames.filter(
    (name) => settings[name] !== wanted[name] && !(isReached && (name === "epochs" || name === "steps")),
  );
  if (other.length === 0) return;
  const said = (values: RunSettings): string =>
    other.flatMap((name) => (values[name] === null ? [] : [`${name} ${values[name]}`])).join(", ");
  const given = other.filter((name) => settings[name] !== written[name] && settings[name] !== null);
  const idle = other.filter((name) => settings[name] === written[name] && flags[name] !== undefined);
  const options = [
    ...(given.length === 0 ? [] : [`with ${given.map((name) => `--${name} ${settings[name]}`).join(" ")}`]),
    ...(idle.length === 0 ? [] : [`without ${idle.map((name) => `--${name}`).join(" and ")}`]),
  ].join(" and ");
  throw runFailure(`${printedPath(directory)} was trained with ${said(settings)}, and now it is ${said(wanted)}`, {
    reason: "Runs that belong together are trained alike; otherwise their differences say nothing.",
    help: `go on ${options}, begin anew with --force, or choose another folder with --out`,
  });
}

/** Flags of settings as they were given, each behind a space: for the command that goes on after an interruption. */
export const settingOptions = (flags: SettingFlags): string =>
  settingNames.flatMap((name) => (flags[name] === undefined ? [] : [` --${name} ${flags[name]}`])).join("");
