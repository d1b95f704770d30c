/** A model with its trained weights, for commands that need no data: of a run, of one of its checkpoints, or of a checkpoint alone. */

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ModelProgram } from "../blocks/index.js";
import { type Analysis, assemble, programOf } from "../compiler/index.js";
import type { Checkpoint, Training } from "../runtime/index.js";
import { analyzeText } from "./analysis.js";
import { chooseRecipe } from "./choose.js";
import { vocabularyOf } from "./config/index.js";
import { runFailure, usageFailure } from "./failure.js";
import { printedPath } from "./files.js";
import { openRun } from "./open-run.js";
import { trainingOf } from "./recipe-settings.js";
import { factsFile, readRunSpec } from "./run-directory.js";

export interface OpenTrained {
  readonly program: ModelProgram;
  /** By name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Steps that the weights have been trained. */
  readonly step: number;
  readonly training: Training;
  /** The resolved spec. */
  readonly spec: string;
}

/** The folder that a run or a checkpoint lies in. */
export function folderOf(source: string): string {
  if (!existsSync(source)) {
    throw usageFailure(`${printedPath(source)} does not exist`, {
      help: "name the folder of a run or one of its checkpoints; mae train prints where a run is",
    });
  }
  return statSync(source).isDirectory() ? source : dirname(source);
}

/**
 * `source`: the folder of a run, whose newest checkpoint is taken, or a checkpoint. `config`: the configuration that the
 * command line names.
 *
 * Throws a `Failure` where there is neither, and a `RunError` where a checkpoint cannot be used.
 */
export async function openTrained(source: string, config: string | undefined): Promise<OpenTrained> {
  const folder = folderOf(source);
  const isRun = folder === source;
  if (!isRun && !existsSync(join(folder, factsFile))) return openAlone(source, config);
  const run = await openRun(folder, isRun ? null : source, config);
  return { ...run, spec: readRunSpec(folder) };
}

/** A checkpoint without its run: the model follows from the spec that it keeps. */
async function openAlone(path: string, config: string | undefined): Promise<OpenTrained> {
  const { readCheckpoint, weightsFrom } = await import("../runtime/index.js");
  const saved = await readCheckpoint(path, "weights");
  const { model, recipe } = chooseRecipe(await specOf(saved, config), undefined);
  const program = programOf(assemble(model));
  const weights = weightsFrom(saved, program.parameters);
  return { program, weights, step: saved.step, training: trainingOf(recipe), spec: saved.spec };
}

/**
 * A checkpoint keeps the spec it was trained with, which needs no other file but those of the blocks. They are the working
 * folder's: wherever a checkpoint comes from, it has no say in what code is run.
 */
export async function specOf({ path, spec }: Checkpoint, config: string | undefined): Promise<Analysis> {
  const analysis = analyzeText({ path: printedPath(path), text: spec }, await vocabularyOf(null, config));
  if (!analysis.diagnostics.some(({ severity }) => severity === "error")) return analysis;
  throw runFailure(`the spec in ${printedPath(path)} is not one that this version understands`, {
    help: "use the version of maelang that wrote it, or the spec.mae of its run; blocks of a project are looked for from the working folder, or name its configuration (--config)",
  });
}
