/**
 * Weights that others trained, under the names and in the shapes that they have here. Query, key and value become one matrix, and patch
 * convolutions matrices over patch vectors; the kernels of encoders of maps stay as they are. Names are those of `names.ts`.
 */

import { sizeOf } from "../../graph/index.js";
import type { StoredTensor } from "../checkpoint/safetensors.js";
import type { Tensors } from "../checkpoint/tensor-file.js";
import { kernelHere, kernelValues, type WeightHere } from "./kernels.js";
import { isTurned, isWeightElsewhere, nameHere, namingOf } from "./names.js";

/** A weight by the names in its file and the shape that it has here. */
export interface ForeignShape extends WeightHere {
  /** Names in the file, those that are joined in their order. */
  readonly from: readonly string[];
  /** Present where the first two axes of what it is about stand in the other order there: frequency before time. */
  readonly turned?: true;
}

export interface ForeignWeight extends ForeignShape {
  readonly values: Float32Array;
}

export interface ForeignWeights<W = ForeignWeight> {
  /** Whose names the file has. */
  readonly naming: string;
  /** By the names that our models use. */
  readonly weights: ReadonlyMap<string, W>;
  /** Tensors that are no weights of the model: of an optimizer, say. */
  readonly aside: readonly string[];
}

/** Branches in which training scripts keep the weights of a model, the likeliest first. */
const branches = ["model", "model_state", "state_dict", "model_state_dict", "net", "module"];

/** A tensor that is a weight here, or a part of one. */
interface Piece {
  readonly index: number;
  readonly name: string;
}

/** The weights of a model among the tensors of a file, before their values are read. */
export function foreignShapes(shapes: ReadonlyMap<string, readonly number[]>): ForeignWeights<ForeignShape> {
  const names = [...shapes.keys()];
  const naming = namingOf(names);
  const branch = branches.find((name) => names.some((other) => other.startsWith(`${name}.`)));
  const prefix = branch === undefined || !naming.branched ? "" : `${branch}.`;
  const own = names.filter((name) => name.startsWith(prefix) && isWeightElsewhere(name));
  const taken = new Set(own);
  const turns = isTurned(shapes);
  const pieces = new Map<string, Piece[]>();
  for (const name of own) {
    const here = nameHere(name.slice(prefix.length).replace(/^module\./, ""), naming);
    const [, before = here, index = "0", after = ""] = /^(.*)\[(\d)\](.*)$/.exec(here) ?? [];
    const joined = pieces.get(before + after) ?? [];
    pieces.set(before + after, joined);
    joined.push({ index: Number(index), name });
  }
  const weights = new Map(
    [...pieces]
      .flatMap(([name, joined]) => weightsOf(name, joined))
      .map(([name, from]): [string, ForeignShape] => {
        const [first, another] = from as readonly [string, ...string[]];
        if (naming.kernels && another === undefined) return [name, { from, ...kernelHere(name, first, shapes) }];
        const there = from.map((one) => shapes.get(one) as readonly number[]);
        const weight = { from, ...shapeHere(name, there) };
        return [name, turns && isOfPlaces(name) ? { ...weight, turned: true } : weight];
      }),
  );
  return { naming: naming.name, weights: withFinalNorm(weights), aside: names.filter((name) => !taken.has(name)) };
}

/** What is about places of the input: the convolution over patches, and their positions. */
const isOfPlaces = (name: string): boolean => name === "pos_embed" || name === "patch_embed.proj.weight";

/** Where queries and values have a bias and keys have none, they are two. */
function weightsOf(name: string, pieces: readonly Piece[]): readonly (readonly [string, readonly string[]])[] {
  const ordered = [...pieces].sort((a, b) => a.index - b.index);
  const [first, second, third] = ordered;
  if (!name.endsWith("attn.qkv.bias") || first?.index !== 0 || second?.index !== 2 || third) {
    return [[name, ordered.map((piece) => piece.name)]];
  }
  const branch = name.slice(0, -"qkv.bias".length);
  return [
    [`${branch}q_bias`, [first.name]],
    [`${branch}v_bias`, [second.name]],
  ];
}

/** A classifier of the mean of the patches has its norm behind the mean, under another name. */
function withFinalNorm(weights: ReadonlyMap<string, ForeignShape>): ReadonlyMap<string, ForeignShape> {
  if (weights.has("norm.weight")) return weights;
  return new Map([...weights].map(([name, weight]) => [name.replace(/^fc_norm\./, "norm."), weight]));
}

/** Tensors one under the other; a convolution over patches as a matrix. `name`: ours. */
function shapeHere(name: string, all: readonly (readonly number[])[]): WeightHere {
  const [first = []] = all;
  const rows = all.reduce((sum, shape) => sum + (shape[0] ?? 1), 0);
  const shape = all.length === 1 ? first : [rows, ...first.slice(1)];
  // A table of positions has an axis of samples here.
  if (name === "pos_embed" && shape.length === 2) return { shape: [1, ...shape], channels: null };
  if (!isConvolution(shape)) return { shape, channels: null };
  return { shape: [shape[0] as number, sizeOf(shape.slice(1))], channels: shape[1] as number };
}

/** [D, C, ...patch] */
const isConvolution = (shape: readonly number[]): boolean => shape.length >= 4;

/** The values of a weight, from the tensors of its open file. */
export async function foreignValues({ from, kernel, turned }: ForeignShape, tensors: Tensors): Promise<Float32Array> {
  const all: Float32Array[] = [];
  for (const name of from) {
    const { shape, read } = tensors.get(name) as NonNullable<ReturnType<Tensors["get"]>>;
    const values = asFloats(await read());
    if (kernel) all.push(kernelValues(kernel, values));
    else all.push(isConvolution(shape) ? patchMatrix(shape, values, turned) : values);
  }
  const [only] = all;
  if (only && all.length === 1) return only;
  const joined = new Float32Array(all.reduce((sum, values) => sum + values.length, 0));
  let at = 0;
  for (const values of all) {
    joined.set(values, at);
    at += values.length;
  }
  return joined;
}

const asFloats = ({ values }: StoredTensor): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values as Iterable<number | bigint>, Number);

/** [D, C, ...patch] -> [D, patch * C], the channel fastest. `turned`: of patches whose two axes change places. */
function patchMatrix(shape: readonly number[], values: Float32Array, turned = false): Float32Array {
  const [width = 0, channels = 0, ...patch] = shape;
  const places = sizeOf(patch);
  const rows = patch[0] ?? 1;
  const columns = places / rows;
  const placeHere = (p: number): number => (turned ? (p % columns) * rows + Math.floor(p / columns) : p);
  const result = new Float32Array(values.length);
  for (let d = 0; d < width; d++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < places; p++) {
        result[(d * places + placeHere(p)) * channels + c] = values[(d * channels + c) * places + p] as number;
      }
    }
  }
  return result;
}

/** Names and shapes of weights, of convolutions over patches how many channels they read, and which have their axes in the other order. */
export const outlineOf = (weights: ReadonlyMap<string, ForeignShape>) => ({
  shapes: new Map([...weights].map(([name, { shape }]) => [name, shape])),
  channels: new Map([...weights].flatMap(([name, { channels }]) => (channels === null ? [] : [[name, channels]]))),
  turned: new Set([...weights].flatMap(([name, { turned }]) => (turned ? [name] : []))),
});
