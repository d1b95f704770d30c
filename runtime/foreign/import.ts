/** Weights that others trained as those of a model here: read from their file, brought to its shapes, written as a checkpoint of it. */

import { fixedTable, isFixedTable, namedParameters, type Parameter, type ParameterTree } from "../../blocks/index.js";
import { checkpointMetadata } from "../checkpoint/checkpoint.js";
import { inheritedWeights, type TableResizing } from "../checkpoint/inherit.js";
import { readTensorFile, writeTensorFile } from "../checkpoint/tensor-file.js";
import { openNamedFile, readBytes } from "../plain-file.js";
import { RunError } from "../run-error.js";
import { startingWeights, type WeightValues } from "../train/weights.js";
import { readPyTorchFile } from "./pytorch.js";
import { type ForeignWeight, type ForeignWeights, foreignWeights } from "./weights.js";

/**
 * The weights in a file of PyTorch or of safetensors, told apart by how it begins. Nothing in it is run.
 * @throws RunError `run/foreign-weights`, `run/safetensors` or `run/unreadable`
 */
export async function readForeignWeights(path: string): Promise<ForeignWeights> {
  const start = await firstBytes(path);
  const isPyTorch = start[0] === 0x80 || (start[0] === 0x50 && start[1] === 0x4b);
  return foreignWeights(isPyTorch ? await readPyTorchFile(path) : (await readTensorFile(path)).tensors);
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const { file, size } = await openNamedFile(path);
  try {
    return await readBytes(file, 0, Math.min(2, size));
  } finally {
    await file.close();
  }
}

/** A weight of a model and the one of the file that it starts as. */
export interface TakenWeight {
  readonly name: string;
  readonly from: string;
  readonly resize: TableResizing | null;
}

/** Largest difference between a fixed table and the same one as another program computed it in single precision. */
const tableTolerance = 1e-3;

/**
 * Every weight of a model: those that are taken, the rest as training would start them.
 * @throws RunError `run/foreign-weights` where a fixed table of the model is another one in the file
 */
export async function importedWeights(
  parameters: ParameterTree,
  weights: ReadonlyMap<string, ForeignWeight>,
  taken: readonly TakenWeight[],
  { file, seed }: { readonly file: string; readonly seed: number },
): Promise<WeightValues> {
  const declared = new Map(namedParameters(parameters));
  const state = Object.fromEntries([...weights].map(([name, { values }]) => [name, values]));
  const fixed = new Map([...declared].filter(([, parameter]) => isFixedTable(parameter)));
  for (const [name, parameter] of fixed) {
    const found = weights.get(name);
    if (found) sameTable(name, parameter, found, file);
  }
  const wanted = taken.filter(({ name }) => !fixed.has(name));
  const checkpoint = { path: file, program: file, state };
  const given = inheritedWeights(
    new Map(wanted.map(({ name, from, resize }) => [name, { checkpoint, name: from, ...(resize ? { resize } : {}) }])),
  );
  return startingWeights(parameters, seed, given);
}

/** Refuses a table in a file that is neither the fixed one of the model nor the same for another square grid. */
function sameTable(name: string, parameter: Parameter, { shape, values }: ForeignWeight, file: string): void {
  // Of another width nothing else of the part is taken either.
  if (shape.at(-1) !== Number(parameter.shape.at(-1))) return;
  const own = fixedTable(parameter, shape.at(-2) ?? 0);
  if (own?.every((value, i) => Math.abs(value - (values[i] as number)) <= tableTolerance)) return;
  throw new RunError("run/foreign-weights", {
    what: `${name} in ${file} is another table than the fixed one of the model`,
    why: "its weights were trained with other positions than the spec says",
    help: "Write `positions learned` in the spec, which takes the table as it is.",
  });
}

/** Writes weights as a checkpoint at step 0. Throws as `writeTensorFile`. */
export async function writeImported(
  path: string,
  parameters: ParameterTree,
  weights: WeightValues,
  facts: { readonly program: string; readonly seed: number; readonly spec: string },
): Promise<void> {
  const tensors = [...namedParameters(parameters)].map(([name, { shape }]) => ({
    name,
    shape: shape.map(Number),
    values: weights[name] as Float32Array,
  }));
  const cursor = { epoch: 0, batch: 0, samples: 0, batchSize: 0 };
  await writeTensorFile(path, tensors, checkpointMetadata({ ...facts, step: 0, cursor }));
}
