/** A function of a trained model as an ONNX file that any tool runs without this package. */

import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ArrayShape,
  boxText,
  countsText,
  hasPictures,
  isPicture,
  type Lattice,
  type ModelProgram,
  sidesText,
} from "../../blocks/index.js";
import type { DType, Graph, Node, Tensor, TypedArray } from "../../graph/index.js";
import { partialSuffix, writeWhole } from "../checkpoint/whole-file.js";
import type { ColourScale } from "../evaluate/colours.js";
import { frozenGraph, type Trained } from "../evaluate/frozen.js";
import { anyBatch, opset, standaloneModel } from "../executors/onnx/standalone.js";
import { version } from "../package.js";
import { RunError } from "../run-error.js";
import { coloursOf, type ImageScale, layoutOf } from "./colours.js";
import { type Exported, exportedFunction } from "./functions.js";

/** Raised when readers of the metadata must know of it. */
const formatVersion = "1.0";

/** No protobuf message may be larger; a little is left for tools that add to a model. */
const largestMessage = 2 ** 31 - 2 ** 24;

export interface ExportOptions {
  /** `encode`, `reconstruct`, `classify`, or an output of the model by name. */
  readonly what: string;
  /** Images at a time; null: as many as come. */
  readonly batch: number | null;
  /** How images go in. */
  readonly images: ImageScale;
  /** The recipe's normalisation of an array; null: the model sees values in [0, 1]. */
  readonly colours: (array: string) => ColourScale | null;
  /** Steps that the weights have been trained. */
  readonly step: number;
  /** The resolved spec. */
  readonly spec: string;
  /** A larger file keeps its weights in another beside it. */
  readonly largest?: number;
}

/** An input or an output. */
export interface ExportedPort {
  readonly name: string;
  readonly dtype: DType;
  /** "batch" where any number goes. */
  readonly shape: readonly (number | "batch")[];
  readonly doc: string;
}

/** What was written. */
export interface ExportFacts {
  readonly file: string;
  /** The file with the weights; null: they are in the model. */
  readonly data: string | null;
  /** Of both. */
  readonly bytes: number;
  readonly opset: number;
  readonly inputs: readonly ExportedPort[];
  readonly outputs: readonly ExportedPort[];
}

/** Hexadecimal digits in the name of a file with weights, and what follows the model's name there, also where it is half written. */
const digits = 12;
const dataName = new RegExp(`^\\.[0-9a-f]{${digits}}\\.data(?:${partialSuffix})?$`);

/**
 * The file that holds the weights of a model too large for one. Its name comes from what is in it, so that other weights never take
 * its place while a model still needs it.
 */
function besideOf(model: string, pieces: readonly Uint8Array[]): string {
  const digest = createHash("sha256");
  for (const piece of pieces) digest.update(piece);
  return `${model}.${digest.digest("hex").slice(0, digits)}.data`;
}

/** Deletes files with weights of models that were at this path before. One that cannot be deleted costs room, not the model. */
async function removeOthers(path: string, current: string | null): Promise<void> {
  const model = basename(path);
  const isOther = (name: string): boolean =>
    name !== current && name.startsWith(model) && dataName.test(name.slice(model.length));
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names.filter(isOther)) await rm(join(dirname(path), name), { force: true }).catch(() => undefined);
}

/**
 * Writes a function of a model as `path`, and its weights into a file beside it where a single one cannot hold them. What is there is
 * replaced when everything is written, at the moment at which the model gets its name: killed before or after, `path` is whole.
 * @throws RunError `run/features` for what the model does not have, or where it computes with the number of images itself;
 * `run/disk-full` or `run/unwritable`.
 */
export async function exportOnnx(
  { program, weights }: Trained,
  path: string,
  options: ExportOptions,
): Promise<ExportFacts> {
  const colours = Object.fromEntries(
    Object.entries(program.arrays).map(([name, shape]) => {
      // Of several arrays those without pictures have no pixels.
      const into = Object.keys(program.arrays).length === 1 || hasPictures(shape) ? options.images : "normalized";
      return [name, coloursOf(into, options.colours(name), shape)];
    }),
  );
  const exported = exportedFunction(options.what, program, colours);
  const graph = frozenGraph(program, options.batch ?? anyBatch, exported.outputs);
  if (options.batch === null) checkAnyBatch(program, graph, exported);
  const { docs } = exported;
  const { model, data } = standaloneModel(graph, {
    values: { ...weights, ...exported.fixed },
    docs,
    about: {
      version,
      doc: `${options.what} of ${program.name} after step ${options.step}, from maelang ${version}`,
      metadata: metadataOf(program, options),
    },
    largest: options.largest ?? largestMessage,
    beside: (pieces) => besideOf(basename(path), pieces),
  });
  const beside = data ? [{ path: join(dirname(path), data.name), parts: data.pieces }] : [];
  const files = [...beside, { path, parts: model }];
  await writeWhole(files, "Free some space and export again; what was there before is intact.");
  await removeOthers(path, data?.name ?? null);
  const ports = (tensors: ReadonlyMap<string, Tensor>): readonly ExportedPort[] =>
    [...tensors]
      .filter(([name]) => exported.fixed[name] === undefined)
      .map(([name, { dtype, shape }]) => ({ name, dtype, shape: shown(shape), doc: docs[name] ?? "" }));
  return {
    file: path,
    data: beside[0]?.path ?? null,
    bytes: files.flatMap(({ parts }) => parts).reduce((sum, { length }) => sum + length, 0),
    opset,
    inputs: ports(graph.feeds),
    outputs: ports(graph.outputs),
  };
}

const shown = (shape: readonly number[]): readonly (number | "batch")[] =>
  shape.map((size) => (size === anyBatch ? "batch" : size));

/** A second stand-in, to see what changes with the number of images. */
const otherBatch = 1_000_033;

/** Refuses a graph that has the number of images in its numbers, and not in its shapes alone. */
function checkAnyBatch(program: ModelProgram, graph: Graph, { outputs }: Exported): void {
  const other = frozenGraph(program, otherBatch, outputs);
  const alike = graph.nodes.every((node, i) => sameNumbers(node, other.nodes[i]));
  if (alike && graph.nodes.length === other.nodes.length) return;
  throw new RunError("run/features", {
    what: `${program.name} computes with the number of images itself, so a file for any number would be wrong`,
    help: "Export it for a number of images that you choose (--batch).",
  });
}

/** Whether two nodes do the same, and with the same numbers where they are constants. */
function sameNumbers(a: Node, b: Node | undefined): boolean {
  if (a.operation !== b?.operation) return false;
  if (a.operation !== "constant") return true;
  const [own, its] = [a, b].map((node) => (node as Node<"constant">).attributes.data) as [TypedArray, TypedArray];
  return own.length === its.length && own.every((value, i) => Object.is(value, its[i]));
}

/** What a user of the file has to know, as text. */
function metadataOf(program: ModelProgram, options: ExportOptions): Record<string, string> {
  const { images, batch } = options;
  const { name, extraTokens, arrays } = program;
  const only = Object.keys(arrays).length === 1;
  const ofArrays = Object.keys(arrays).flatMap((array) =>
    Object.entries(arrayMetadata(program, array, options)).map(([key, value]) => [
      only ? key : `${array}.${key}`,
      value,
    ]),
  );
  return {
    maelang: version,
    format_version: formatVersion,
    model: name,
    function: options.what,
    step: String(options.step),
    ...Object.fromEntries(ofArrays),
    images,
    extra_tokens: String(extraTokens),
    batch: batch === null ? "any" : String(batch),
    spec: options.spec,
  };
}

function arrayMetadata(
  { arrays, grids }: ModelProgram,
  array: string,
  { colours }: ExportOptions,
): Readonly<Record<string, string>> {
  const [shape, grid] = [arrays[array] as ArrayShape, grids[array] as Lattice];
  const { channels } = shape;
  const scale = colours(array);
  return {
    layout: layoutOf(shape),
    [isPicture(shape) ? "image" : "array"]: `${sidesText(shape)}x${channels}`,
    mean: JSON.stringify(scale?.mean ?? new Array(channels).fill(0)),
    std: JSON.stringify(scale?.std ?? new Array(channels).fill(1)),
    patch: boxText(grid),
    patches: countsText(grid),
  };
}
