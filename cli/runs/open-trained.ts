/** A model with its trained weights, for commands that need no data: of a run, of one of its checkpoints, or of a checkpoint alone. */

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { vocabularyOf } from "../config/index.js";
import { printedPath } from "../specs/files.js";
import { usageFailure } from "../words/failure.js";
import { type OpenCheckpoint, openCheckpoint } from "./open-checkpoint.js";
import { type CheckpointFlags, openRun, savedIn } from "./open-run.js";
import { factsFile } from "./run-directory.js";

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
export async function openTrained(
  source: string,
  { config, weights, recipe }: Pick<CheckpointFlags, "weights" | "recipe"> & { readonly config?: string },
): Promise<OpenCheckpoint> {
  const folder = folderOf(source);
  const isRun = folder === source;
  const vocabularyFor = () => vocabularyOf(null, config);
  const named = recipe === undefined ? {} : { recipe };
  const flags: CheckpointFlags = {
    ...named,
    ...(weights ? { weights } : {}),
    ...(isRun ? {} : { checkpoint: source }),
  };
  if (isRun || existsSync(join(folder, factsFile))) return openRun(folder, flags, vocabularyFor);
  return openCheckpoint(await savedIn(folder, flags), await vocabularyFor(), named);
}
