/**
 * `mae train --variant`: members of a family, each in a folder of its own. Said again, it goes on where it stopped: what is
 * finished is left alone. Once all are finished, one report compares them.
 */

import { join } from "node:path";
import { type Analysis, costOf, type Family, type Variant } from "../../compiler/index.js";
import { chooseFamilies, chooseRecipe, memberNamed, openSpec } from "../choose.js";
import { type Compared, type Comparison, comparisonHtml } from "../comparison.js";
import { runFailure, usageFailure } from "../failure.js";
import { printedPath, replaceFile } from "../files.js";
import { jsonProgress } from "../progress.js";
import { readRunState } from "../run-state.js";
import { count, print, stderrColors, tell } from "../terminal.js";
import { continued, type Order, outOption, type TrainFlags, trainOne } from "./train.js";

export interface VariantFlags extends TrainFlags {
  /** `Family.member`, `Family` or `all`. */
  readonly variant: string;
}

export async function trainVariants(file: string, name: string | undefined, flags: VariantFlags): Promise<void> {
  const analysis = await openSpec(file, flags.config);
  const { vocabulary } = analysis;
  const { recipe } = chooseRecipe(analysis, name);
  const { family, members } = wanted(analysis, flags.variant, recipe.model);
  const folder = flags.out ?? join("runs", family.name);
  const goOn = `mae train ${file} ${recipe.name} --variant ${flags.variant}${outOption(flags)}`;
  for (const [i, member] of members.entries()) {
    const directory = directoryOf(folder, family, member);
    tell(`${stderrColors().bold(member.name)} (${i + 1} of ${members.length})`);
    const { saved, finished, step } = readRunState(directory);
    const isLonger = flags.steps !== undefined && flags.steps > step;
    if (finished && !flags.force && !isLonger) {
      continued({ model: member.model, recipe, vocabulary }, directory, flags);
      tell(`finished before, in ${printedPath(directory)}`);
      continue;
    }
    // A run that ended before its first checkpoint has nothing to lose.
    const resume = saved && !flags.force;
    const order = { file, vocabulary, model: member.model, recipe, directory, goOn };
    if (await trainOne({ ...order, flags: { ...flags, resume, force: !resume } })) return;
  }
  report(family, { recipe, vocabulary }, folder, flags);
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
const directoryOf = (folder: string, family: Family, member: Variant): string =>
  join(folder, member.name.slice(family.name.length + 1));

/** Writes the comparison once every member is finished; until then says how many are left. */
function report(
  family: Family,
  { recipe, vocabulary }: Pick<Order, "recipe" | "vocabulary">,
  folder: string,
  flags: TrainFlags,
): void {
  const states = family.members.map((member) => {
    const directory = directoryOf(folder, family, member);
    return { member, directory, state: readRunState(directory) };
  });
  const left = states.filter(({ state }) => !state.finished).length;
  if (left > 0) {
    tell(`${count(left, "member")} of ${family.name} left to train; the report follows when all are finished`);
    return;
  }
  // What is compared is what was trained: a run of an earlier text would be shown under the name of another model.
  for (const { member, directory } of states) continued({ model: member.model, recipe, vocabulary }, directory, flags);
  const members = states.map(
    ({ member, state }): Compared => ({
      name: member.name,
      ...costOf(member.model),
      differences: member.differences,
      steps: state.step,
      loss: state.loss,
      scores: state.scores,
    }),
  );
  const comparison: Comparison = {
    format_version: "1.0",
    family: family.name,
    base: family.base,
    recipe: recipe.name,
    members,
  };
  const [json, html] = ["report.json", "report.html"].map((name) => join(folder, name)) as [string, string];
  replaceFile(json, `${JSON.stringify(comparison, null, 2)}\n`);
  replaceFile(html, comparisonHtml(comparison));
  for (const path of [json, html].map(printedPath)) {
    if (flags.json) jsonProgress({ kind: "note", text: path });
    else print(`${path}\n`);
  }
}
