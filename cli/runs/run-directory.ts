/** The folder of a run: what is in it besides what training writes, and what a later command needs to know of it. */

import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { DurationValue } from "../../blocks/index.js";
import { type Model, type Recipe, type RunSettings, settingsOf } from "../../compiler/index.js";
import type { Executor, StartFacts } from "../../runtime/index.js";
import type { RunProject } from "../config/index.js";
import type { Computing } from "../machine/micro-batches.js";
import { packageVersion } from "../package-root.js";
import { printedPath, replaceFile, unwritable } from "../specs/files.js";
import { type Failure, runFailure, usageFailure } from "../words/failure.js";
import { count } from "../words/terminal.js";
import { readFacts, readKept } from "./run-facts.js";
import { readLog } from "./run-state.js";

/**
 * `run.json`: with what a run was started, and what only the command line settles. What is read of it is checked in
 * `run-facts.ts`.
 */
export interface RunFacts extends StartFacts {
  /** The same as the text had them, before the flags; absent in runs of earlier versions. */
  readonly written?: RunSettings;
  /** What of the schedule is shorter than in the text, as the flags made the training shorter; if absent, nothing. */
  readonly shorter?: ShorterTimes;
  /** How a step is computed; absent in runs of earlier versions: whole batches, everything kept. */
  readonly computing?: Computing;
  /** If absent, the spec uses no blocks of a project. */
  readonly project?: RunProject;
  /** If absent, every weight started as the model declares. */
  readonly from?: readonly RunSource[];
  /** Files and other runs that it has weights of; if absent, none. */
  readonly files?: readonly FileSource[];
}

/** Of a run that starts now. */
export const factsOf = (file: string, model: Model, recipe: Recipe, executor: Executor): RunFacts => ({
  format_version: "1.0",
  maelang: packageVersion(),
  file: printedPath(file),
  model: model.name,
  recipe: recipe.name,
  root: process.cwd(),
  settings: settingsOf(recipe),
  executor: { name: executor.name, backend: executor.backend, device: executor.device },
  started: new Date().toISOString(),
});

/** A file of weights, or the checkpoint of another run, that a run started from. */
export interface FileSource {
  /** As the spec names it. */
  readonly file: string;
  /** The file itself: of a run, its checkpoint. */
  readonly weights: string;
  /** Of its bytes. */
  readonly sha256: string;
}

/** By parameter: what the text says, and what the run has instead. */
export type ShorterTimes = Readonly<Record<string, { readonly from: DurationValue; readonly to: DurationValue }>>;

/** An earlier stage of a pipeline that a run has weights of. */
export interface RunSource {
  readonly stage: string;
  /** When its run was started: tells it from another in the same folder. */
  readonly started: string;
  /** Steps that it had been trained. */
  readonly step: number;
}

export type { RunSettings };

export const specFile = "spec.mae";
export const factsFile = "run.json";
export const pictureFile = "reconstruction.png";

/** What a run consists of, and what is left of it half written; nothing else in the folder is ever touched. */
const ownFile =
  /^(?:spec\.mae|run\.json|program(?:-\w+)?\.ts|program\.mjs|events\.out\.tfevents\.\d+\.mae|reconstruction(?:-\d+)?\.png|(?:log\.jsonl|trouble-\d+\.json|(?:checkpoint|trouble)-\d+\.safetensors)(?:\.partial)?)$/;

const finishedCheckpoint = /^checkpoint-\d+\.safetensors$/;
/** Of a step, not of the start. */
const trainedCheckpoint = /^checkpoint-0*[1-9]\d*\.safetensors$/;
const trainedLine = /^\{"kind":"step"/m;

function filesOfRun(directory: string): string[] {
  if (!existsSync(directory)) return [];
  if (!statSync(directory).isDirectory()) throw usageFailure(`${printedPath(directory)} is a file, not a folder`);
  const entries = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => ownFile.test(name));
  const strange = entries.find((entry) => !entry.isFile() && !entry.isSymbolicLink());
  if (strange) {
    throw runFailure(`${printedPath(join(directory, strange.name))} is not a file`, {
      reason: "A run keeps a file of that name.",
      help: "move it away, or choose another folder (--out)",
    });
  }
  return entries.map(({ name }) => name);
}

/** Throws a `Failure` where what goes on would write through a link, over a file that is not the run's. */
function refuseLinks(directory: string): void {
  const written = filesOfRun(directory).filter((name) => !finishedCheckpoint.test(name));
  const link = written.find((name) => lstatSync(join(directory, name)).isSymbolicLink());
  if (link === undefined) return;
  throw runFailure(`${printedPath(join(directory, link))} is a link`, {
    reason: "What the run writes there would land in another file.",
    help: "put the file itself in its place",
  });
}

export interface Opening {
  readonly resume: boolean;
  readonly force: boolean;
}

/** Whether something would be lost if the folder were made ready for a new run: a step that was trained. */
export function holdsRun(directory: string): boolean {
  if (filesOfRun(directory).some((name) => trainedCheckpoint.test(name))) return true;
  return trainedLine.test(readLog(directory));
}

/** Throws a `Failure` when there is a run in a folder that should be new, or none in one that should be continued. */
export function checkRunDirectory(directory: string, { resume, force }: Opening): void {
  if (resume && force) throw usageFailure("--resume goes on with a run, --force replaces it; choose one");
  if (resume && !filesOfRun(directory).includes(factsFile)) {
    throw runFailure(`there is no run in ${printedPath(directory)} to go on with`, {
      help: "leave out --resume to start one, or name its folder with --out",
    });
  }
  if (resume) refuseLinks(directory);
  if (!resume && !force && holdsRun(directory)) {
    throw runFailure(`${printedPath(directory)} already holds a run`, {
      reason: "A run is never overwritten unasked.",
      help: "go on with it (--resume), choose another folder (--out), or replace it (--force)",
    });
  }
}

/** Makes the folder ready for a new run: the one that was there is deleted. */
export function clearRunDirectory(directory: string): void {
  try {
    for (const name of filesOfRun(directory)) rmSync(join(directory, name));
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw unwritable(directory, error);
  }
}

/** Keeps what was started, and from which text. */
export function writeRunFacts(directory: string, facts: RunFacts, spec: string): void {
  replaceFile(join(directory, specFile), spec);
  replaceFile(join(directory, factsFile), `${JSON.stringify(facts, null, 2)}\n`);
}

/** Throws a usage failure when the folder holds no run, and a `Failure` where what it says of itself cannot be understood. */
export function readRunFacts(directory: string): RunFacts {
  const path = join(directory, factsFile);
  if (!existsSync(path)) throw noRun(directory);
  const read = readFacts(path);
  if ("why" in read) throw damaged(path, read.why);
  return read.value as RunFacts;
}

/** Runs that are named where a folder holds several, as that of a pipeline. */
const runsNamed = 5;

/** What is wrong with a folder that is to be that of a run, and is none: of one that holds runs, they are named. */
export function noRun(directory: string): Failure {
  const shown = printedPath(directory);
  const help = "name the folder of a run: mae train prints it, runs/<name> where --out does not say otherwise";
  const facts = statSync(directory, { throwIfNoEntry: false });
  if (!facts) return usageFailure(`${shown} does not exist`, { help });
  if (!facts.isDirectory()) {
    return usageFailure(`${shown} is a file, and the folder of a run is needed`, {
      help: "name its folder; a checkpoint of it is named by --checkpoint",
    });
  }
  const within = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((folder) => existsSync(join(folder, factsFile)));
  if (within.length === 0) return usageFailure(`${shown} holds no run`, { help });
  const rest = within.length > runsNamed ? " ..." : "";
  return usageFailure(`${shown} holds ${count(within.length, "run")} and is none itself`, {
    help: `name one of them: ${within.slice(0, runsNamed).map(printedPath).join(", ")}${rest}`,
  });
}

const damaged = (path: string, why: string) =>
  runFailure(`${printedPath(path)} is damaged: ${why}`, {
    help: "restore it, or train again in another folder (--out)",
  });

/** Throws a `Failure` where it is not there or is no text. */
export function readRunSpec(directory: string): string {
  const path = join(directory, specFile);
  const read = readKept(path);
  if ("why" in read) throw damaged(path, read.why);
  return read.value;
}

/** `examples/digits.mae` -> `runs/digits`; with the recipe's name where the file has several. */
export function defaultRunDirectory(file: string, recipe: string, several: boolean): string {
  const stem = basename(file).replace(/\.mae$/, "");
  return join("runs", several ? `${stem}-${recipe}` : stem);
}
