/** A finished or interrupted run, opened again: its program, its weights, and the data that its spec names. All of it is data: nothing of it is run. */

import { join } from "node:path";
import type { Checkpoint } from "../../runtime/index.js";
import { changedFiles, type Vocabulary } from "../config/index.js";
import { chooseRecipe } from "../specs/choose.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import {
  firstDifference,
  meaningOf,
  type OpenCheckpoint,
  openCheckpoint,
  resolved,
  specOf,
} from "./open-checkpoint.js";
import { type RunFacts, readRunFacts, readRunSpec, specFile } from "./run-directory.js";

export interface OpenRun extends OpenCheckpoint {
  readonly directory: string;
  readonly facts: RunFacts;
}

/**
 * `checkpoint`: a file; null: the newest of the run. `vocabularyFor` gives the blocks that its spec can use, and is asked once there is a
 * run: what the run says of itself has no part in it.
 *
 * Throws a `Failure` where there is no run, or its spec is not the checkpoint's, and a `RunError` where its checkpoint cannot be used.
 */
export async function openRun(
  directory: string,
  checkpoint: string | null,
  vocabularyFor: () => Promise<Vocabulary>,
): Promise<OpenRun> {
  const facts = readRunFacts(directory);
  const { newestCheckpoint, readCheckpoint } = await import("../../runtime/index.js");
  const saved =
    checkpoint === null ? await newestCheckpoint(directory, "weights") : await readCheckpoint(checkpoint, "weights");
  const vocabulary = await vocabularyFor();
  checkOwnSpec(directory, saved, vocabulary, facts);
  const opened = await openCheckpoint(saved, vocabulary, facts.project);
  for (const name of changedFiles(facts.project, vocabulary)) {
    tell(`${visibleText(name)} is not as it was when the run was started`);
  }
  return { ...opened, directory, facts };
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
