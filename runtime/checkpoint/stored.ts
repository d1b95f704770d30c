/**
 * What a checkpoint says, from the tensors and the metadata of its file: the weights under their own names, the optimizer's
 * moments under `optimizer.<state>.<weight>`, and all that a bit-exact continuation needs. Needs nothing of Node;
 * files are `checkpoint.ts`'s.
 */

import { type ParameterTree, parameterShapes } from "../../blocks/index.js";
import { sameShape, showShape } from "../../graph/index.js";
import type { DataDigest } from "../data/digest.js";
import { RunError } from "../run-error.js";
import { firstBadValues } from "../train/guard.js";
import { decodeSafetensors, isCount, quoted, type StoredTensor, type TensorFile } from "./safetensors.js";

/** Where in the data a run stands. All else follows from the seed. */
export interface DataCursor {
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of the data set and of one batch: with others, the order would be another. */
  readonly samples: number;
  readonly batchSize: number;
}

/** The samples of a recipe, as a checkpoint tells of them. */
export interface SourceFacts {
  readonly samples: number;
  readonly batchSize: number;
  readonly data?: DataDigest | undefined;
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
  /** Of recipes beside the run's own, in the order in which it names them; if absent, there are none. */
  readonly beside?: readonly SourceFacts[];
}

export interface Checkpoint extends CheckpointFacts {
  readonly path: string;
  /** Version of maelang that wrote it. */
  readonly version: string;
  /** Weights and moments, float32, by the names under which an executor keeps them. */
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

export const format = "maelang-checkpoint";
/** Raised when a reader of this version could not read newer files. */
export const formatVersion = 1;
const momentPrefix = "optimizer.";

export const isWeight = (name: string): boolean => !name.startsWith(momentPrefix);

/** The name under which a moment is kept and stored. */
export const momentName = (state: string, weight: string): string => `${momentPrefix}${state}.${weight}`;

/** What the running average of weights is kept under, beside the optimizer's moments. */
export const averageState = "average";
export const averageName = (weight: string): string => momentName(averageState, weight);

/** Whether it is a weight, or its running average: all that is judged. */
export const isJudged = (name: string): boolean => isWeight(name) || name.startsWith(averageName(""));

export const hasAverages = ({ state }: Pick<Checkpoint, "state">): boolean =>
  Object.keys(state).some((name) => name.startsWith(averageName("")));

/** A weight as it is judged, exported and trained on: its running average where there is one. */
export const judgedWeight = (state: Checkpoint["state"], name: string): Float32Array | undefined =>
  state[averageName(name)] ?? state[name];

/** A checkpoint from what its file holds. Throws `run/checkpoint-unreadable`. */
export function checkpointFrom({ tensors, metadata }: TensorFile, path: string): Checkpoint {
  return {
    ...readFacts(metadata, path),
    path,
    state: Object.fromEntries([...tensors].map(([name, tensor]) => [name, asFloat32(name, tensor, path)])),
    shapes: Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape])),
  };
}

/** A checkpoint from the bytes of its file; `name` is what errors call it. Throws `run/safetensors` or `run/checkpoint-unreadable`. */
export const checkpointFromBytes = (bytes: Uint8Array, name = "the checkpoint"): Checkpoint =>
  checkpointFrom(decodeSafetensors(bytes, name), name);

const notOurs = (path: string, why: string): RunError =>
  new RunError("run/checkpoint-unreadable", {
    what: `${path} is not a checkpoint that can be continued`,
    why,
    help: "Use a checkpoint that was written by `mae train`, with this version of maelang or an older one.",
  });

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
    throw notOurs(path, `it was written by maelang ${quoted(text("maelang"))}, which is newer than this one`);
  }
  return {
    program: text("program"),
    step: count("step", mostSteps),
    seed: count("seed"),
    spec: text("spec"),
    cursor: readCursor(text("cursor"), path),
    ...(metadata.has("data") ? { data: readDigest(text("data"), path) } : {}),
    ...(metadata.has("beside") ? { beside: readBeside(text("beside"), path) } : {}),
    version: text("maelang"),
  };
}

/** What is under a key of an object that a text holds as JSON; undefined where it holds none. */
function fieldsIn(text: string): (key: string) => unknown {
  let read: Readonly<Record<string, unknown>> | null = null;
  try {
    read = JSON.parse(text);
  } catch {
    // Whoever asks for a field says that it is not there.
  }
  return (key) => read?.[key];
}

function readDigest(text: string, path: string): DataDigest {
  const read = fieldsIn(text);
  const part = (key: keyof DataDigest): string => {
    const value = read(key);
    if (typeof value !== "string") throw notOurs(path, `its digest of the data has no "${key}"`);
    return value;
  };
  return { names: part("names"), labels: part("labels"), contents: part("contents") };
}

/** More recipes than stand beside one. */
const mostBeside = 256;

function readBeside(text: string, path: string): readonly SourceFacts[] {
  const list = fieldsIn(`{"list":${text}}`)("list");
  if (!Array.isArray(list) || list.length > mostBeside) throw notOurs(path, `its "beside" is no list of recipes`);
  return list.map((one): SourceFacts => {
    const read = fieldsIn(JSON.stringify(one));
    const [samples, batchSize] = [read("samples"), read("batchSize")];
    if (!isCount(samples) || !isCount(batchSize)) throw notOurs(path, `its "beside" has no numbers of samples`);
    return { samples, batchSize, data: readDigest(JSON.stringify(read("data") ?? null), path) };
  });
}

function readCursor(text: string, path: string): DataCursor {
  const read = fieldsIn(text);
  const field = (key: keyof DataCursor): number => {
    const value = read(key);
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
 * The weights of a checkpoint for a model, as they are judged: exactly those that it declares, with its shapes.
 * Throws `run/checkpoint-mismatch` with the names that are missing, unexpected or of another shape, and `run/weights-not-finite`.
 */
export function weightsFrom(checkpoint: Checkpoint, parameters: ParameterTree): Record<string, Float32Array> {
  const declared = parameterShapes(parameters);
  compareNames(checkpoint, declared, isWeight);
  checkFinite(checkpoint, Object.keys(checkpoint.state).filter(isWeight));
  return Object.fromEntries(
    [...declared.keys()].map((name) => [name, judgedWeight(checkpoint.state, name) as Float32Array]),
  );
}

/** As `weightsFrom`, for every slot that a training step keeps: weights and moments. */
export function stateFrom(
  checkpoint: Checkpoint,
  slots: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Readonly<Record<string, Float32Array>> {
  compareNames(checkpoint, new Map(slots.map(({ name, shape }) => [name, shape])), () => true);
  checkFinite(
    checkpoint,
    slots.map(({ name }) => name),
  );
  return checkpoint.state;
}

/** Weights that are no numbers make nothing of anything: neither features nor a file for others. */
function checkFinite({ path, state }: Checkpoint, names: readonly string[]): void {
  const why = firstBadValues(Object.fromEntries(names.map((name) => [name, state[name] as Float32Array])));
  if (why === null) return;
  throw new RunError("run/weights-not-finite", {
    what: `The weights in ${path} are not finite`,
    why,
    help: "Use an earlier checkpoint. This one was written by something else than `mae train`, which saves none such.",
  });
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
