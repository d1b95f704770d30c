/** A function of a trained model as an ONNX file that any tool runs without this package. */

import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { ModelProgram } from "../../blocks/index.js";
import type { DType, Graph, Node, Tensor, TypedArray } from "../../graph/index.js";
import { writeWhole } from "../checkpoint/whole-file.js";
import type { ColourScale } from "../evaluate/colours.js";
import { frozenGraph, type Trained } from "../evaluate/frozen.js";
import { anyBatch, opset, standaloneModel } from "../executors/onnx/standalone.js";
import { version } from "../package.js";
import { RunError } from "../run-error.js";
import { coloursOf, type ImageScale } from "./colours.js";
import { type Exported, type ExportedFunction, exportedFunction } from "./functions.js";

/** Raised when readers of the metadata must know of it. */
const formatVersion = "1.0";

/** No protobuf message may be larger; a little is left for tools that add to a model. */
const largestMessage = 2 ** 31 - 2 ** 24;

export interface ExportOptions {
  readonly what: ExportedFunction;
  /** Images at a time; null: as many as come. */
  readonly batch: number | null;
  /** How images go in. */
  readonly images: ImageScale;
  /** The recipe's normalisation; null: the model sees values in [0, 1]. */
  readonly colours: ColourScale | null;
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

/** The file that holds the weights of a model too large for one. */
export const besideOf = (path: string): string => `${path}.data`;

/**
 * Writes a function of a model as `path`, and its weights as `path`.data where a single file cannot hold them. Replaces what
 * is there when everything is written.
 * @throws RunError `run/features` for what the model does not have, or where it computes with the number of images itself;
 * `run/disk-full` or `run/unwritable`.
 */
export async function exportOnnx(
  { program, weights }: Trained,
  path: string,
  options: ExportOptions,
): Promise<ExportFacts> {
  const colours = coloursOf(options.images, options.colours);
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
    beside: basename(besideOf(path)),
  });
  const files = [...(data ? [{ path: besideOf(path), parts: data }] : []), { path, parts: model }];
  await writeWhole(files, "Free some space and export again; what was there before is intact.");
  // Of the model that was there before.
  if (!data) await rm(besideOf(path), { force: true });
  const ports = (tensors: ReadonlyMap<string, Tensor>): readonly ExportedPort[] =>
    [...tensors]
      .filter(([name]) => exported.fixed[name] === undefined)
      .map(([name, { dtype, shape }]) => ({ name, dtype, shape: shown(shape), doc: docs[name] ?? "" }));
  return {
    file: path,
    data: data ? besideOf(path) : null,
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
function metadataOf({ name, image, grid, extraTokens }: ModelProgram, options: ExportOptions): Record<string, string> {
  const { colours, images, batch } = options;
  const { channels, height, width } = image;
  return {
    maelang: version,
    format_version: formatVersion,
    model: name,
    function: options.what,
    step: String(options.step),
    layout: "batch, height, width, channels",
    image: `${height}x${width}x${channels}`,
    images,
    mean: JSON.stringify(colours?.mean ?? new Array(channels).fill(0)),
    std: JSON.stringify(colours?.std ?? new Array(channels).fill(1)),
    patch: grid.patch.join("x"),
    patches: `${grid.rows}x${grid.columns}`,
    extra_tokens: String(extraTokens),
    batch: batch === null ? "any" : String(batch),
    spec: options.spec,
  };
}
