/**
 * Checkpoints of a run on disk: one safetensors file each, of which the newest two are kept. What is in one is `stored.ts`'s.
 */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ParameterTree } from "../../blocks/index.js";
import { version } from "../package.js";
import { RunError, systemCode, unreadable } from "../run-error.js";
import type { TensorToFetch, TensorToStore } from "./safetensors.js";
import {
  type Checkpoint,
  type CheckpointFacts,
  checkpointFrom,
  format,
  formatVersion,
  isJudged,
  isWeight,
  weightsFrom,
} from "./stored.js";
import { readTensorFile, writeTensorFile } from "./tensor-file.js";
import { partialSuffix } from "./whole-file.js";

const kept = 2;

const fileName = (step: number): string => `checkpoint-${step}.safetensors`;

/** Checkpoints in a run's folder, oldest first. Empty when the folder is not there. */
export async function listCheckpoints(directory: string): Promise<readonly { step: number; path: string }[]> {
  return (await namesIn(directory))
    .map((name) => ({ match: /^checkpoint-(\d+)\.safetensors$/.exec(name), path: join(directory, name) }))
    .flatMap(({ match, path }) => (match === null ? [] : [{ step: Number(match[1]), path }]))
    .sort((a, b) => a.step - b.step);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw unreadable(`The folder ${directory}`, "Check that it is a folder and that you may read it.", error);
  }
}

/** What a checkpoint says beside its tensors. */
export const checkpointMetadata = (facts: CheckpointFacts): Readonly<Record<string, string>> => ({
  format,
  format_version: String(formatVersion),
  maelang: version,
  program: facts.program,
  step: String(facts.step),
  seed: String(facts.seed),
  cursor: JSON.stringify(facts.cursor),
  ...(facts.data ? { data: JSON.stringify(facts.data) } : {}),
  ...(facts.beside ? { beside: JSON.stringify(facts.beside) } : {}),
  spec: facts.spec,
});

/**
 * Saves a checkpoint as `checkpoint-<step>.safetensors`, then deletes all but the newest two and what a killed run left
 * half written. Gives its path. Throws as `writeTensorFile`; earlier checkpoints are then untouched.
 */
export async function saveCheckpoint(
  directory: string,
  facts: CheckpointFacts,
  tensors: readonly (TensorToStore | TensorToFetch)[],
): Promise<string> {
  const path = join(directory, fileName(facts.step));
  await writeTensorFile(path, tensors, checkpointMetadata(facts));
  const old = (await listCheckpoints(directory)).filter(({ step }) => step <= facts.step).slice(0, -kept);
  const halves = (await namesIn(directory)).filter((name) => name.endsWith(`.safetensors${partialSuffix}`));
  const left = [...old.map((checkpoint) => checkpoint.path), ...halves.map((name) => join(directory, name))];
  // A file that cannot be deleted costs room, not the run.
  for (const stale of left) await rm(stale, { force: true }).catch(() => undefined);
  return path;
}

/**
 * What of a checkpoint is read: moments are two thirds of most, and needed only to train on. `weights`: the weights with their running averages,
 * which are judged where there are some; `last`: the weights alone, as the last step left them; `facts`: no tensor.
 */
export type CheckpointPart = "all" | "weights" | "last" | "facts";

const isIn: Readonly<Record<CheckpointPart, (name: string) => boolean>> = {
  all: () => true,
  weights: isJudged,
  last: isWeight,
  facts: () => false,
};

/** The newest checkpoint of a run's folder. Throws `run/checkpoint-missing` when there is none. */
export async function newestCheckpoint(directory: string, part: CheckpointPart = "all"): Promise<Checkpoint> {
  const all = await listCheckpoints(directory);
  const [newest, earlier] = [all.at(-1), all.at(-2)];
  if (newest === undefined) {
    throw new RunError("run/checkpoint-missing", {
      what: `There is no checkpoint in ${directory}`,
      help: "Start the run anew, without resuming, or name the folder of an earlier run.",
    });
  }
  return readCheckpoint(newest.path, part).catch((error: unknown) => {
    if (earlier === undefined || !(error instanceof RunError)) throw error;
    const help = `Delete it to use the one before, ${earlier.path}.`;
    const { code, what, why } = error;
    throw new RunError(code, { what, help, ...(why === null ? {} : { why }) }, { cause: error });
  });
}

/** Reads a checkpoint. Throws `run/safetensors`, `run/unreadable` or `run/checkpoint-unreadable`. */
export const readCheckpoint = async (path: string, part: CheckpointPart = "all"): Promise<Checkpoint> =>
  checkpointFrom(await readTensorFile(path, isIn[part]), path);

/** The weights of a checkpoint for a model. Throws `run/checkpoint-mismatch` and what reading it throws. */
export const loadWeights = async (path: string, parameters: ParameterTree): Promise<Record<string, Float32Array>> =>
  weightsFrom(await readCheckpoint(path, "weights"), parameters);
