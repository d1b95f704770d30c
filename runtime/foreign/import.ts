/** Weights that others trained as those of a model here: read from their file, brought to its shapes, written as a checkpoint of it. */

import { fixedTable, isFixedTable, namedParameters, type Parameter, type ParameterTree } from "../../blocks/index.js";
import { checkpointMetadata, readCheckpoint } from "../checkpoint/checkpoint.js";
import {
  type ChannelAdapting,
  inheritedWeights,
  type TableResizing,
  type WeightSource,
} from "../checkpoint/inherit.js";
import { format, isWeight } from "../checkpoint/stored.js";
import { type Tensors, withTensorFile, writeTensorFile } from "../checkpoint/tensor-file.js";
import { openNamedFile, readBytes } from "../plain-file.js";
import { RunError } from "../run-error.js";
import { startingWeights, type WeightValues } from "../train/weights.js";
import { otherModel } from "./names.js";
import { withPyTorchFile } from "./pytorch.js";
import { type ForeignWeight, type ForeignWeights, foreignShapes, foreignValues, outlineOf } from "./weights.js";

/**
 * Gives the tensors of a file of PyTorch or of safetensors, told apart by how it begins. Nothing in it is run.
 * @throws RunError `run/foreign-weights`, `run/safetensors` or `run/unreadable`, and what `use` throws
 */
async function withForeignFile<T>(
  path: string,
  use: (tensors: Tensors, metadata: ReadonlyMap<string, string>) => Promise<T>,
): Promise<T> {
  const start = await firstBytes(path);
  const isPyTorch = start[0] === 0x80 || (start[0] === 0x50 && start[1] === 0x4b);
  return isPyTorch ? withPyTorchFile(path, (tensors) => use(tensors, new Map())) : withTensorFile(path, use);
}

const shapesOf = (tensors: Tensors): ReadonlyMap<string, readonly number[]> =>
  new Map([...tensors].map(([name, { shape }]) => [name, shape]));

/**
 * The weights in a file.
 * @throws RunError `run/foreign-weights` where they are those of a model that nothing here computes, and as `withForeignFile`
 */
export const readForeignWeights = (path: string): Promise<ForeignWeights> =>
  withForeignFile(path, async (tensors) => {
    refuseOthers(path, tensors);
    const found = foreignShapes(shapesOf(tensors));
    const weights = new Map<string, ForeignWeight>();
    for (const [name, weight] of found.weights) {
      weights.set(name, { ...weight, values: await foreignValues(weight, tensors) });
    }
    return { ...found, weights };
  });

/** What is in a file of weights, without its numbers. */
export interface WeightsOutline {
  /** By the names that our models use. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Of convolutions over patches. */
  readonly channels: ReadonlyMap<string, number>;
  /** Those about places of the input whose two axes stand in the other order there. */
  readonly turned: ReadonlySet<string>;
  /** Of a checkpoint of ours: the spec that it keeps, and its model's name. */
  readonly spec: { readonly text: string; readonly model: string } | null;
}

/** The names and shapes of the weights in a file. Throws as `withForeignFile`. */
export const outlineWeights = (path: string): Promise<WeightsOutline> =>
  withForeignFile(path, async (tensors, metadata) => {
    const all = shapesOf(tensors);
    const [text, model] = [metadata.get("spec"), metadata.get("program")];
    const isOurs = metadata.get("format") === format && text !== undefined && model !== undefined;
    if (!isOurs) {
      refuseOthers(path, tensors);
      return { ...outlineOf(foreignShapes(all).weights), spec: null };
    }
    const shapes = new Map([...all].filter(([name]) => isWeight(name)));
    return { shapes, channels: new Map(), turned: new Set(), spec: { text, model } };
  });

function refuseOthers(path: string, tensors: Tensors): void {
  const other = otherModel(tensors.keys());
  if (!other) return;
  throw new RunError("run/foreign-weights", {
    what: `${path} holds ${other.model}`,
    why: other.lack,
    help: "Take the weights of a ViT, MAE, VideoMAE, BERT, ConvNeXt, Swin or ResNet: `docs/import.md` says of whom.",
  });
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const { file, size } = await openNamedFile(path);
  try {
    return await readBytes(file, 0, Math.min(2, size));
  } finally {
    await file.close();
  }
}

/**
 * The weights of a file that a model starts from: a checkpoint of ours or of others.
 * @throws RunError where they are not finite or a fixed table of the model is another one there, and as `withForeignFile`
 */
export async function readWeightSource(path: string, parameters: ParameterTree): Promise<WeightSource> {
  if ((await outlineWeights(path)).spec) return readCheckpoint(path, "weights");
  const { weights } = await readForeignWeights(path);
  sameTables(parameters, weights, path);
  const state = Object.fromEntries([...weights].map(([name, { values }]) => [name, values]));
  return { path, program: path, state };
}

/** A weight of a model and the one of the file that it starts as. */
export interface TakenWeight {
  readonly name: string;
  readonly from: string;
  readonly resize?: TableResizing;
  readonly adapt?: ChannelAdapting;
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
  const state = Object.fromEntries([...weights].map(([name, { values }]) => [name, values]));
  const fixed = sameTables(parameters, weights, file);
  const wanted = taken.filter(({ name }) => !fixed.has(name));
  const checkpoint = { path: file, program: file, state };
  const given = inheritedWeights(
    new Map(wanted.map(({ name, from, ...change }) => [name, { checkpoint, name: from, ...change }])),
  );
  return startingWeights(parameters, seed, given);
}

/** The names of a model's fixed tables, none of which is another one in a file. */
function sameTables(
  parameters: ParameterTree,
  weights: ReadonlyMap<string, ForeignWeight>,
  file: string,
): ReadonlySet<string> {
  const fixed = [...namedParameters(parameters)].filter(([, parameter]) => isFixedTable(parameter));
  for (const [name, parameter] of fixed) {
    const found = weights.get(name);
    if (found) sameTable(name, parameter, found, file);
  }
  return new Set(fixed.map(([name]) => name));
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
