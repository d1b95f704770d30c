/** Stages of a pipeline as runs: by which recipe, in which folder, and from which weights of earlier ones. */

import { join } from "node:path";
import type { Recipe, Stage, Use } from "../../compiler/index.js";
import type { WeightSource } from "../../runtime/index.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { type RunFacts, type RunSource, readRunFacts } from "./run-directory.js";
import { readRunState } from "./run-state.js";
import { readSources, requireFiles, takenWeights } from "./weights-from.js";

/** The stage's own recipe, and behind its probes those that the pipeline judges the result by. */
export function recipeOfStage({ recipe, evaluate }: Stage): Recipe {
  const isThere = (use: Use): boolean =>
    recipe.evaluate.some(
      (line) =>
        line.use.definition === use.definition && JSON.stringify(line.use.values) === JSON.stringify(use.values),
    );
  const added = evaluate.filter((use) => !isThere(use)).map((use) => ({ use, every: null }));
  return { ...recipe, evaluate: [...recipe.evaluate, ...added] };
}

export const stageDirectory = (folder: string, stage: string): string => join(folder, stage);

const sourceStages = ({ from }: Stage): readonly string[] => [
  ...new Set(from.flatMap(({ stage, file }) => (file === null ? stage : []))),
];

/** The finished runs that a stage starts from. Throws a `Failure` when one is not finished. */
export function runSources(stage: Stage, folder: string): readonly RunSource[] {
  return sourceStages(stage).map((name) => {
    const directory = stageDirectory(folder, name);
    const { finished, step } = readRunState(directory);
    if (finished) return { stage: name, started: readRunFacts(directory).started, step };
    throw runFailure(`the stage ${name} is not finished, and ${stage.name} starts from it`, {
      help: "go on with the pipeline (--resume)",
    });
  });
}

/**
 * A stage that has begun goes on only while it stands on the same runs. Throws a `Failure` when one of them has been trained
 * again since.
 */
export function checkSources(stage: Stage, facts: RunFacts, folder: string): void {
  const changed = runSources(stage, folder).find(
    (now) =>
      !facts.from?.some(
        ({ stage, started, step }) => stage === now.stage && started === now.started && step === now.step,
      ),
  );
  if (!changed) return;
  const directory = printedPath(stageDirectory(folder, stage.name));
  throw runFailure(`${directory} was started from another run of the stage ${changed.stage}`, {
    reason: "What it has learned would not be what the pipeline says.",
    help: "begin the pipeline anew (--force), or delete the folder and go on (--resume)",
  });
}

/**
 * The values that weights of a stage start with, by name, from the newest checkpoints of earlier stages and from files. Throws a `Failure`
 * where one is not here.
 */
export async function startingWeights(stage: Stage, folder: string): Promise<Readonly<Record<string, Float32Array>>> {
  requireFiles(stage.takes, stage.recipe);
  const { newestCheckpoint } = await import("../../runtime/index.js");
  const sources = new Map<string, WeightSource>(await readSources(stage.takes, stage.model));
  for (const name of sourceStages(stage)) {
    sources.set(name, await newestCheckpoint(stageDirectory(folder, name), "weights"));
  }
  return takenWeights(stage.mappings, sources);
}
