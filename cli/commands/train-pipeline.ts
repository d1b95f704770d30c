/**
 * `mae train` of a pipeline: its stages in turn, each a run in a folder of its own that starts with what earlier ones have
 * trained. At the end, or when told to go on after it, one report says what each has come to.
 */

import { join } from "node:path";
import type { Pipeline, Stage } from "../../compiler/index.js";
import type { Vocabulary } from "../config/index.js";
import { requireBackend } from "../machine/backend.js";
import { refuseHosts } from "../machine/hosts.js";
import { checkedSpec } from "../runs/checked-spec.js";
import { checkSettings, continued } from "../runs/continuation.js";
import { checkRunDirectory, clearRunDirectory, holdsRun, readRunFacts } from "../runs/run-directory.js";
import { readRunState } from "../runs/run-state.js";
import { type Shortened, shortened } from "../runs/shorter-schedule.js";
import { checkSources, recipeOfStage, runSources, stageDirectory, startingWeights } from "../runs/stages.js";
import { openTrainingData } from "../runs/training-sources.js";
import { requireFiles } from "../runs/weights-from.js";
import { openSpec } from "../specs/choose.js";
import { printedPath, replaceFile } from "../specs/files.js";
import { inColumns } from "../words/columns.js";
import { countsOf, startText } from "../words/key-map.js";
import { jsonProgress, shortNumber } from "../words/progress.js";
import { type Colors, count, grouped, print, printJson, stderrColors, stdoutColors, tell } from "../words/terminal.js";
import { optionsAgain, type TrainFlags, train, trainOne } from "./train.js";

/** Trains what a name stands for: a pipeline, or a recipe. */
export async function trainNamed(file: string, name: string | undefined, flags: TrainFlags): Promise<void> {
  const analysis = await openSpec(file, flags.config);
  const pipeline = name === undefined ? undefined : analysis.pipelines.get(name);
  if (pipeline) await trainPipeline(file, pipeline, analysis.vocabulary, flags);
  else await train(analysis, file, name, flags);
}

async function trainPipeline(
  file: string,
  pipeline: Pipeline,
  vocabulary: Vocabulary,
  flags: TrainFlags,
): Promise<void> {
  const { name, stages } = pipeline;
  refuseHosts(flags, "the stages of a pipeline");
  const folder = flags.out ?? join("runs", name);
  if (!flags.resume || flags.force) await beginAnew(stages, { folder, vocabulary, flags });
  const goOn = `mae train ${file} ${name} --resume${optionsAgain(flags)}`;
  for (const [i, stage] of stages.entries()) {
    sayStage(stage, i, stages.length, flags, folder);
    if (await trainStage(stage, { file, folder, vocabulary, flags, goOn })) return;
  }
  report(pipeline, folder, flags);
}

/** In JSON a line of its own, so that a script knows what the events after it belong to. */
function sayStage(
  { name, recipeName, modelName }: Stage,
  i: number,
  all: number,
  flags: TrainFlags,
  folder: string,
): void {
  const run = printedPath(stageDirectory(folder, name));
  if (flags.json) printJson({ kind: "stage", stage: name, run }, 0);
  tell(`${stderrColors().bold(name)} (${i + 1} of ${all}): ${recipeName} of ${modelName}`);
}

/** Makes every stage's folder ready before the first begins, so that none of an earlier run is left for a later stage. */
async function beginAnew(
  stages: readonly Stage[],
  { folder, vocabulary, flags }: Omit<Around, "file" | "goOn">,
): Promise<void> {
  const opening = { resume: flags.resume ?? false, force: flags.force ?? false };
  const directories = stages.map(({ name }) => stageDirectory(folder, name));
  for (const directory of directories) checkRunDirectory(directory, opening);
  for (const { takes, recipe } of stages) requireFiles(takes, recipe);
  const planned = await Promise.all(stages.map((stage) => shortened(stage.model, recipeOfStage(stage), flags)));
  for (const [i, { model }] of stages.entries())
    checkedSpec(model, (planned[i] as Shortened).recipe, vocabulary, flags);
  if (directories.some(holdsRun)) {
    await requireBackend(flags.backend);
    for (const [i, { recipe, opened }] of planned.entries()) {
      await openTrainingData((stages[i] as Stage).model, recipe, opened, null);
    }
  }
  for (const directory of directories) clearRunDirectory(directory);
}

interface Around {
  readonly file: string;
  readonly folder: string;
  readonly vocabulary: Vocabulary;
  readonly flags: TrainFlags;
  readonly goOn: string;
}

/** Trains a stage, goes on with it, or leaves it where it is finished. Gives whether it was interrupted. */
async function trainStage(stage: Stage, { file, folder, vocabulary, flags, goOn }: Around): Promise<boolean> {
  const recipe = recipeOfStage(stage);
  const directory = stageDirectory(folder, stage.name);
  const { saved, finished } = readRunState(directory);
  // A run that ended before its first checkpoint has nothing to lose.
  const resume = saved;
  if (resume) {
    checkSources(stage, readRunFacts(directory), folder);
    continued({ model: stage.model, recipe, vocabulary }, directory, flags);
    checkSettings(recipe, directory, flags, { longer: !finished });
  }
  if (finished) {
    tell(`finished before, in ${printedPath(directory)}`);
    return false;
  }
  return trainOne({
    ...{ file, vocabulary, directory, recipe, goOn, model: stage.model },
    flags: { ...flags, resume, force: !resume },
    inherits: {
      from: runSources(stage, folder),
      takes: stage.takes,
      weights: () => startingWeights(stage, folder),
    },
  });
}

/** `report.json`; its fields are documented in `docs/cli.md`. */
interface PipelineReport {
  readonly format_version: "1.0";
  readonly pipeline: string;
  readonly stages: readonly StageReport[];
}

interface StageReport {
  readonly stage: string;
  readonly model: string;
  readonly recipe: string;
  readonly run: string;
  readonly from: readonly string[];
  /** How many weights start in which way. */
  readonly weights: ReturnType<typeof countsOf>;
  readonly steps: number;
  /** Mean of the last steps; null: there was none. */
  readonly loss: number | null;
  /** By probe and score. */
  readonly scores: Readonly<Record<string, number | null>>;
}

function report({ name, stages }: Pipeline, folder: string, flags: TrainFlags): void {
  const reports = stages.map((stage): StageReport => {
    const { step, loss, scores } = readRunState(stageDirectory(folder, stage.name));
    return {
      stage: stage.name,
      model: stage.modelName,
      recipe: stage.recipeName,
      run: printedPath(stageDirectory(folder, stage.name)),
      from: stage.takes.map(startText),
      weights: countsOf(stage.mappings ?? []),
      steps: step,
      loss,
      scores,
    };
  });
  const whole: PipelineReport = { format_version: "1.0", pipeline: name, stages: reports };
  const path = join(folder, "report.json");
  replaceFile(path, `${JSON.stringify(whole, null, 2)}\n`);
  if (flags.json) jsonProgress({ kind: "note", text: printedPath(path) });
  else print(`${[...table(whole, stdoutColors()), printedPath(path)].join("\n")}\n`);
}

function table({ pipeline, stages }: PipelineReport, colors: Colors): readonly string[] {
  const scores = [...new Set(stages.flatMap((stage) => Object.keys(stage.scores)))];
  const head = ["stage", "model", "taken", "new", "steps", "loss", ...scores];
  const rows = stages.map(({ stage, model, weights, steps, loss, ...one }) => [
    stage,
    model,
    grouped(weights.kept + weights.renamed + weights.resized + weights.adapted),
    grouped(weights.new),
    grouped(steps),
    loss === null ? "" : shortNumber(loss),
    ...scores.map((score) => one.scores[score]?.toPrecision(4) ?? ""),
  ]);
  const [first = "", ...lines] = inColumns([head, ...rows], (column) => column < 2);
  return [`${colors.bold(pipeline)}: ${count(stages.length, "stage")}`, colors.dim(first), ...lines];
}
