/**
 * `mae train --variant`: members of a family, each in a folder of its own. Said again, it goes on where it stopped: what is
 * finished is left alone. Once all are finished, one report compares them.
 */

import { join } from "node:path";
import {
  type Analysis,
  type Cost,
  costOf,
  type Family,
  type Recipe,
  type Variant,
  withSettings,
} from "../../compiler/index.js";
import { refuseHosts } from "../machine/hosts.js";
import { checkSettings, continued, type Trained } from "../runs/continuation.js";
import { checkRunDirectory, readRunFacts } from "../runs/run-directory.js";
import { type RunState, readRunState } from "../runs/run-state.js";
import { endWith } from "../session.js";
import { chooseFamilies, chooseRecipe, memberNamed, openSpec } from "../specs/choose.js";
import { printedPath, replaceFile } from "../specs/files.js";
import { exitCode, runFailure, usageFailure } from "../words/failure.js";
import { jsonProgress } from "../words/progress.js";
import { type SeedMember, type SeedStudy, seedStudy } from "../words/significance.js";
import { count, print, printJson, stderrColors, tell } from "../words/terminal.js";
import { writeReport } from "./report.js";
import { optionsAgain, type TrainFlags, trainOne } from "./train.js";

export interface VariantFlags extends TrainFlags {
  /** `Family.member`, `Family` or `all`. */
  readonly variant: string;
}

interface Compared extends Cost, SeedMember {
  readonly batch: number;
  readonly steps: number;
}

/** `report.json`; its fields are documented in `docs/cli.md`. */
interface Comparison {
  readonly format_version: "1.0";
  readonly family: string;
  readonly base: string;
  readonly recipe: string;
  readonly members: readonly Compared[];
  /** What several seeds say; null: the family varies none. */
  readonly seeds: SeedStudy | null;
}

/** What the members of a family have in common. */
interface Around extends Omit<Trained, "model"> {
  readonly file: string;
  readonly family: Family;
  readonly folder: string;
  readonly flags: VariantFlags;
}

export async function trainVariants(file: string, name: string | undefined, flags: VariantFlags): Promise<void> {
  const analysis = await openSpec(file, flags.config);
  const { recipe } = chooseRecipe(analysis, name);
  const { family, members } = wanted(analysis, flags.variant, recipe.model);
  if (flags.seed !== undefined && members.some(({ seed }) => seed !== null)) {
    throw usageFailure(`${family.name} says which seeds its members are trained with`, {
      help: "leave out --seed, or change `seed = ...` in the family",
    });
  }
  if (recipe.beside) {
    throw usageFailure(
      `${recipe.name} has recipes beside it, which train other models than the members of ${family.name}`,
      {
        help: "train the members by a recipe that stands alone",
      },
    );
  }
  refuseHosts(flags, "the members of a family");
  const folder = flags.out ?? join("runs", family.name);
  const around = { file, family, recipe, vocabulary: analysis.vocabulary, folder, flags };
  for (const member of members) checkMember(member, around);
  for (const [i, member] of members.entries()) {
    const run = printedPath(directoryOf(member, around));
    if (flags.json) printJson({ kind: "member", member: member.name, run }, 0);
    tell(`${stderrColors().bold(member.name)} (${i + 1} of ${members.length})`);
    if (await trainMember(member, around)) return;
  }
  await report(around);
}

/** The recipe as it trains a member. */
const recipeFor = ({ seed }: Variant, recipe: Recipe): Recipe =>
  seed === null ? recipe : withSettings(recipe, { seed });

/** Throws a `Failure` where the run of a member cannot go on as one of this family: before any other is trained. */
function checkMember(member: Variant, around: Around): void {
  const { flags } = around;
  const recipe = recipeFor(member, around.recipe);
  const directory = directoryOf(member, around);
  if (flags.force) checkRunDirectory(directory, { resume: flags.resume ?? false, force: true });
  if (flags.force || !readRunState(directory).saved) return;
  continued({ ...around, recipe, model: member.model }, directory, flags);
  checkSettings(recipe, directory, flags, { longer: true });
}

/** Trains a member, goes on with it, or leaves it where it is finished or has failed. Gives whether it was interrupted. */
async function trainMember(member: Variant, around: Around): Promise<boolean> {
  const { file, recipe, vocabulary, flags } = around;
  const directory = directoryOf(member, around);
  const { saved, finished, failure, step } = readRunState(directory);
  const isLonger = flags.steps !== undefined && flags.steps > step;
  if (!flags.force && (failure !== null || (finished && !isLonger))) {
    tell(`${failure === null ? "finished" : "failed"} before, in ${printedPath(directory)}`);
    return false;
  }
  // A run that ended before its first checkpoint has nothing to lose.
  const resume = saved && !flags.force;
  const goOn = `mae train ${file} ${recipe.name} --variant ${flags.variant}${optionsAgain(flags)}`;
  return trainOne({
    ...{ file, vocabulary, model: member.model, recipe: recipeFor(member, recipe), directory, goOn },
    flags: { ...flags, resume, force: !resume },
    failed: (text) => {
      if (flags.json) printJson({ kind: "failure", text }, 0);
      tell(`${stderrColors().red("✗")} ${text}`);
    },
  });
}

/** The members that `--variant` names; the recipe is one for their base. */
function wanted(analysis: Analysis, named: string, model: string): { family: Family; members: readonly Variant[] } {
  if (named.includes(".")) {
    const { family, variant } = memberNamed(analysis, named);
    return { family: suiting(family, model), members: [variant] };
  }
  const families = chooseFamilies(analysis, named === "all" ? undefined : named);
  const fitting = families.filter((family) => family.base === model);
  const [family, other] = fitting;
  if (family && other) {
    throw usageFailure("the file has several families", {
      help: `name one: ${fitting.map((one) => one.name).join(", ")}`,
    });
  }
  const only = family ?? suiting(families[0] as Family, model);
  return { family: only, members: only.members };
}

function suiting(family: Family, model: string): Family {
  if (family.base === model) return family;
  throw runFailure(`the recipe trains ${model}, and ${family.name} is a family of ${family.base}`, {
    help: `name a recipe for ${family.base}`,
  });
}

/** runs/MaskStudy/mask-spiral.r-75 */
const directoryOf = (member: Variant, { folder, family }: Pick<Around, "folder" | "family">): string =>
  join(folder, member.name.slice(family.name.length + 1));

/** Writes the comparison once every member has ended; until then says how many are left. */
async function report(around: Around): Promise<void> {
  const { family, recipe, folder, flags } = around;
  const runs = family.members.map((member) => {
    const directory = directoryOf(member, around);
    return { member, directory, state: readRunState(directory) };
  });
  const failed = runs.filter(({ state }) => state.failure !== null);
  if (failed.length > 0) {
    tell(`${count(failed.length, "member")} failed: ${failed.map(({ member }) => member.name).join(", ")}`);
    endWith(exitCode.findings);
  }
  const left = runs.filter(({ state }) => !state.finished && state.failure === null).length;
  if (left > 0) {
    tell(`${count(left, "member")} of ${family.name} left to train; the report follows when all have ended`);
    return;
  }
  // What is compared is what was trained: a run of an earlier text would be shown under the name of another model.
  for (const { member, directory } of runs) {
    continued({ ...around, recipe: recipeFor(member, recipe), model: member.model }, directory, flags);
  }
  const members = runs.map(({ member, directory, state }) => compared(member, directory, state));
  const comparison: Comparison = {
    format_version: "1.0",
    family: family.name,
    base: family.base,
    recipe: recipe.name,
    members,
    seeds: seedStudy(members),
  };
  if (!flags.json) for (const text of comparison.seeds?.said ?? []) tell(text);
  const [json, html] = ["report.json", "report.html"].map((name) => join(folder, name)) as [string, string];
  replaceFile(json, `${JSON.stringify(comparison, null, 2)}\n`);
  await writeReport(
    runs.map(({ directory }) => directory),
    { path: html, title: family.name, vocabulary: around.vocabulary },
  );
  for (const path of [json, html].map(printedPath)) {
    if (flags.json) jsonProgress({ kind: "note", text: path });
    else print(`${path}\n`);
  }
}

function compared(member: Variant, directory: string, { step, loss, scores, failure }: RunState): Compared {
  const { batch, seed } = readRunFacts(directory).settings;
  return {
    name: member.name,
    ...costOf(member.model),
    differences: member.differences,
    batch,
    seed,
    steps: step,
    loss,
    scores,
    failure,
  };
}
