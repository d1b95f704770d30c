/** A finished or interrupted run, opened again: its program, its weights, and the data that its spec names. All of it is data: nothing of it is run. */

import { join } from "node:path";
import type { Checkpoint } from "../../runtime/index.js";
import { changedFiles, type Vocabulary } from "../config/index.js";
import { chooseRecipe } from "../specs/choose.js";
import { printedPath } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import {
  firstDifference,
  meaningOf,
  type OpenCheckpoint,
  type OpenOptions,
  openCheckpoint,
  resolved,
  specOf,
} from "./open-checkpoint.js";
import { type RunFacts, readRunFacts, readRunSpec, specFile } from "./run-directory.js";

export interface OpenRun extends OpenCheckpoint {
  readonly directory: string;
  readonly facts: RunFacts;
}

/** Which weights of a checkpoint a command is about, and of which of its recipes. */
export interface CheckpointFlags extends Pick<OpenOptions, "recipe"> {
  /** A file; if absent, the newest of the run. */
  readonly checkpoint?: string;
  /** Running averages, or what the last step left; if absent, averages where the recipe keeps some. */
  readonly weights?: "averaged" | "last";
}

/**
 * `vocabularyFor` gives the blocks that its spec can use, and is asked once there is a run: what the run says of itself has no part in it.
 *
 * Throws a `Failure` where there is no run, or its spec is not the checkpoint's, or it keeps no averages that are asked for, and a `RunError` where its
 * checkpoint cannot be used.
 */
export async function openRun(
  directory: string,
  flags: CheckpointFlags,
  vocabularyFor: () => Promise<Vocabulary>,
): Promise<OpenRun> {
  const facts = readRunFacts(directory);
  const saved = await savedIn(directory, flags);
  const vocabulary = await vocabularyFor();
  checkOwnSpec(directory, saved, vocabulary, facts);
  const { recipe } = flags;
  const opened = await openCheckpoint(saved, vocabulary, {
    ...(recipe === undefined ? {} : { recipe }),
    project: facts.project,
  });
  for (const name of changedFiles(facts.project, vocabulary)) {
    tell(`${visibleText(name)} is not as it was when the run was started`);
  }
  return { ...opened, directory, facts };
}

/** The checkpoint that is asked for, of a run's folder. */
export async function savedIn(directory: string, { checkpoint, weights }: CheckpointFlags): Promise<Checkpoint> {
  const { newestCheckpoint, readCheckpoint, hasAverages } = await import("../../runtime/index.js");
  const part = weights === "last" ? "last" : "weights";
  const saved =
    checkpoint === undefined ? await newestCheckpoint(directory, part) : await readCheckpoint(checkpoint, part);
  if (weights === "averaged" && !hasAverages(saved)) {
    throw usageFailure(`${printedPath(saved.path)} has no running averages of its weights`, {
      help: "leave out --weights, or say `average 0.999` in the recipe and train again",
    });
  }
  return saved;
}

/** Throws a `Failure` where the spec that a run keeps is not the one that its checkpoint was trained with. */
export function checkOwnSpec(
  directory: string,
  saved: Pick<Checkpoint, "path" | "spec">,
  vocabulary: Vocabulary,
  { project }: RunFacts,
): void {
  const text = readRunSpec(directory);
  if (text === saved.spec) return;
  const path = printedPath(join(directory, specFile));
  const [then, now] = [specOf(saved, vocabulary, project), resolved(path, text, vocabulary, project)].map((analysis) =>
    meaningOf(chooseRecipe(analysis, undefined)),
  ) as [readonly string[], readonly string[]];
  const changed = firstDifference(then, now);
  if (changed === null) return;
  throw runFailure(`${path} is not the spec that ${printedPath(saved.path)} was trained with`, {
    reason: `The checkpoint has "${changed.before}" where the spec says "${changed.after}".`,
    help: "take the change back, or train a run of its own from the changed spec",
  });
}
