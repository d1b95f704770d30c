/**
 * Checkpoints of a run: one safetensors file with the weights under their own names, the optimizer's moments under
 * `optimizer.<state>.<weight>`, and in its metadata all that a bit-exact continuation needs. The newest two are kept.
 */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ParameterTree, parameterShapes } from "../../blocks/index.js";
import { sameShape, showShape } from "../../graph/index.js";
import type { DataDigest } from "../data/digest.js";
import { version } from "../package.js";
import { RunError, systemCode, unreadable } from "../run-error.js";
import { quoted, type TensorToStore } from "./safetensors.js";
import { readTensorFile, type StoredTensor, writeTensorFile } from "./tensor-file.js";
import { partialSuffix } from "./whole-file.js";

/** Where in the data a run stands. All else follows from the seed. */
export interface DataCursor {
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of the data set and of one batch: with others, the order would be another. */
  readonly samples: number;
  readonly batchSize: number;
}

export interface CheckpointFacts {
  /** Name of the program. */
  readonly program: string;
  /** Optimizer steps done. */
  readonly step: number;
  readonly seed: number;
  /** The resolved spec that the run was started with. */
  readonly spec: string;
  readonly cursor: DataCursor;
  /** Absent in checkpoints of earlier versions. */
  readonly data?: DataDigest;
}

export interface Checkpoint extends CheckpointFacts {
  readonly path: string;
  /** Version of maelang that wrote it. */
  readonly version: string;
  /** Weights and moments, float32, by the names under which an executor keeps them. */
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const format = "maelang-checkpoint";
/** Raised when a reader of this version could not read newer files. */
const formatVersion = 1;
const kept = 2;
const momentPrefix = "optimizer.";

const isWeight = (name: string): boolean => !name.startsWith(momentPrefix);

/** The name under which a moment is kept and stored. */
export const momentName = (state: string, weight: string): string => `${momentPrefix}${state}.${weight}`;

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

/**
 * Saves a checkpoint as `checkpoint-<step>.safetensors`, then deletes all but the newest two and what a killed run left
 * half written. Gives its path. Throws `run/disk-full` or `run/unwritable`; earlier checkpoints are then untouched.
 */
export async function saveCheckpoint(
  directory: string,
  facts: CheckpointFacts,
  tensors: readonly TensorToStore[],
): Promise<string> {
  const path = join(directory, fileName(facts.step));
  await writeTensorFile(path, tensors, {
    format,
    format_version: String(formatVersion),
    maelang: version,
    program: facts.program,
    step: String(facts.step),
    seed: String(facts.seed),
    cursor: JSON.stringify(facts.cursor),
    ...(facts.data ? { data: JSON.stringify(facts.data) } : {}),
    spec: facts.spec,
  });
  const old = (await listCheckpoints(directory)).filter(({ step }) => step <= facts.step).slice(0, -kept);
  const halves = (await namesIn(directory)).filter((name) => name.endsWith(`.safetensors${partialSuffix}`));
  const left = [...old.map((checkpoint) => checkpoint.path), ...halves.map((name) => join(directory, name))];
  // A file that cannot be deleted costs room, not the run.
  for (const stale of left) await rm(stale, { force: true }).catch(() => undefined);
  return path;
}

/** What of a checkpoint is read: moments are two thirds of most, and needed only to train on. `facts`: no tensor. */
export type CheckpointPart = "all" | "weights" | "facts";

const isIn: Readonly<Record<CheckpointPart, (name: string) => boolean>> = {
  all: () => true,
  weights: isWeight,
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
export async function readCheckpoint(path: string, part: CheckpointPart = "all"): Promise<Checkpoint> {
  const { tensors, metadata } = await readTensorFile(path, isIn[part]);
  const facts = readFacts(metadata, path);
  return {
    ...facts,
    path,
    state: Object.fromEntries([...tensors].map(([name, tensor]) => [name, asFloat32(name, tensor, path)])),
    shapes: Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape])),
  };
}

const notOurs = (path: string, why: string): RunError =>
  new RunError("run/checkpoint-unreadable", {
    what: `${path} is not a checkpoint that can be continued`,
    why,
    help: "Use a checkpoint that was written by `mae train`, with this version of maelang or an older one.",
  });

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** No training has more steps: a thousand a second for thirty years. */
const mostSteps = 1e12;

function readFacts(metadata: ReadonlyMap<string, string>, path: string): CheckpointFacts & { version: string } {
  const text = (key: string): string => {
    const value = metadata.get(key);
    if (value === undefined) throw notOurs(path, `its metadata has no "${key}"`);
    return value;
  };
  const count = (key: string, most = Number.MAX_SAFE_INTEGER): number => {
    const value = Number(text(key));
    if (!isCount(value)) throw notOurs(path, `its "${key}" is not a whole number`);
    if (value > most) throw notOurs(path, `its "${key}" is ${value}`);
    return value;
  };
  if (metadata.get("format") !== format) throw notOurs(path, "it was not written by maelang");
  if (count("format_version") > formatVersion) {
    throw notOurs(path, `it was written by maelang ${quoted(text("maelang"))}, which is newer than ${version}`);
  }
  return {
    program: text("program"),
    step: count("step", mostSteps),
    seed: count("seed"),
    spec: text("spec"),
    cursor: readCursor(text("cursor"), path),
    ...(metadata.has("data") ? { data: readDigest(text("data"), path) } : {}),
    version: text("maelang"),
  };
}

function readDigest(text: string, path: string): DataDigest {
  let read: Partial<Record<keyof DataDigest, unknown>> | null = null;
  try {
    read = JSON.parse(text);
  } catch {
    // Said below.
  }
  const part = (key: keyof DataDigest): string => {
    const value = read?.[key];
    if (typeof value !== "string") throw notOurs(path, `its digest of the data has no "${key}"`);
    return value;
  };
  return { names: part("names"), labels: part("labels"), contents: part("contents") };
}

function readCursor(text: string, path: string): DataCursor {
  let cursor: Partial<Record<keyof DataCursor, unknown>> | null = null;
  try {
    cursor = JSON.parse(text);
  } catch {
    // Said below.
  }
  const field = (key: keyof DataCursor): number => {
    const value = cursor?.[key];
    if (!isCount(value)) throw notOurs(path, `its data cursor has no "${key}"`);
    return value;
  };
  return { epoch: field("epoch"), batch: field("batch"), samples: field("samples"), batchSize: field("batchSize") };
}

function asFloat32(name: string, { values, dtype }: StoredTensor, path: string): Float32Array {
  if (values instanceof Float32Array) return values;
  if (values instanceof Float64Array) return Float32Array.from(values);
  throw notOurs(path, `${JSON.stringify(name)} has the type ${dtype}, which no weight has`);
}

/**
 * The weights of a checkpoint for a model: exactly those that it declares, with its shapes.
 * Throws `run/checkpoint-mismatch` with the names that are missing, unexpected or of another shape.
 */
export function weightsFrom(checkpoint: Checkpoint, parameters: ParameterTree): Record<string, Float32Array> {
  const declared = parameterShapes(parameters);
  compareNames(checkpoint, declared, isWeight);
  return Object.fromEntries([...declared.keys()].map((name) => [name, checkpoint.state[name] as Float32Array]));
}

/** As `weightsFrom`, for every slot that a training step keeps: weights and moments. */
export function stateFrom(
  checkpoint: Checkpoint,
  slots: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Readonly<Record<string, Float32Array>> {
  compareNames(checkpoint, new Map(slots.map(({ name, shape }) => [name, shape])), () => true);
  return checkpoint.state;
}

function compareNames(
  { path, program, shapes }: Checkpoint,
  declared: ReadonlyMap<string, readonly number[]>,
  concerns: (name: string) => boolean,
): void {
  const stored = Object.keys(shapes).filter(concerns);
  const missing = [...declared.keys()].filter((name) => !Object.hasOwn(shapes, name));
  const unexpected = stored.filter((name) => !declared.has(name));
  const misshaped = [...declared].flatMap(([name, shape]) => {
    const found = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    return found === undefined || sameShape(found, shape)
      ? []
      : [`${name} is ${showShape(found)} there and ${showShape(shape)} here`];
  });
  if (missing.length + unexpected.length + misshaped.length === 0) return;
  throw new RunError("run/checkpoint-mismatch", {
    what: `${path} holds another model (${shown(program)})`,
    why: [some("missing", missing), some("unexpected", unexpected.map(shown)), some("of another shape", misshaped)]
      .filter((part) => part !== "")
      .join("; "),
    help: "Use the checkpoint with the spec it was trained with (it is kept in the file), or start a new run.",
  });
}

/** `3 missing: a, b, c`, at most four of them named. */
function some(word: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > 4 ? `, and ${names.length - 4} more` : "";
  return `${names.length} ${word}: ${names.slice(0, 4).join(", ")}${more}`;
}

/** A name of a file may be any text: what is no plain name is quoted and cut. */
const shown = (name: string): string => (/^[\w.]{1,200}$/.test(name) ? name : quoted(name));
