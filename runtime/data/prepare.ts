/**
 * From one sample to the floats a model sees: draw the augmentation plan, decode, carry it out, normalise.
 * A pure function of the sample's bytes, the recipe and the stream, so it does not matter which thread does it, or when.
 */

import { join, resolve } from "node:path";
import {
  type Augment,
  type BoundField,
  DataError,
  type ImageShape,
  type ImageStep,
  type Sample,
} from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { besideFile } from "./beside.js";
import type { Remark } from "./channels.js";
import { decode, openImage } from "./decode.js";
import { computeFields, type FieldArrays } from "./fields.js";
import { applySteps, type Geometry, type Raster, type Size } from "./raster.js";

/** A sample that any thread can prepare. Paths are absolute. */
export type Source =
  | {
      readonly kind: "file";
      readonly path: string;
      /** Within the data's own folder; null: it has none. */
      readonly within: string | null;
    }
  | { readonly kind: "pixels"; readonly pixels: Uint8Array | Float32Array; readonly shape: ImageShape };

/** Where a sample's content is, for any thread. */
export function sourceOf(sample: Sample, root: string): Source {
  if (sample.kind === "file") {
    return { kind: "file", path: resolve(root, sample.path), within: sample.within ?? null };
  }
  return { kind: "pixels", pixels: sample.pixels, shape: sample.shape };
}

/** What is done with every sample. */
export interface Preparation {
  readonly augment: readonly Bound<Augment>[];
  readonly image: ImageShape;
  readonly seed: number;
  /**
   * Training draws random augmentations. Evaluation takes what they name instead, and where another size is left then,
   * makes the image as large as the input needs and cuts its centre.
   */
  readonly mode: "train" | "evaluate";
  /** What is computed of each sample beside its image, by name. */
  readonly fields: Readonly<Record<string, BoundField>>;
  /** Folders of fields are relative to it. */
  readonly root: string;
}

/** One sample to prepare into a place of a batch. */
export interface Item {
  readonly source: Source;
  /** Its class; null: it has none. */
  readonly label: number | null;
  /** Keys of its random stream. */
  readonly epoch: number;
  readonly sample: number;
}

/** The places of one sample in a batch. */
export interface Places {
  /** [H * W * C] */
  readonly image: Float32Array;
  /** By the names of the fields. */
  readonly fields: FieldArrays;
}

/**
 * Writes the sample and its fields into their places. Gives what was done to the file beyond the recipe.
 * Throws `BrokenImage` for a file that cannot be decoded; `run/image-size`, `run/channels`, `run/data` or `run/unreadable`.
 */
export async function prepare(item: Item, preparation: Preparation, out: Places): Promise<readonly Remark[]> {
  const { source } = item;
  if (source.kind === "pixels") {
    const { raster, steps } = preparePixels(source, item, preparation);
    write(raster, steps, out.image);
    await computeFields(item, preparation, raster, out.fields, noFiles);
    return [];
  }
  const file = await openImage(source.path);
  const steps = planFor(file, item, preparation, source.path);
  const geometry = geometryOf(steps);
  const { raster, remarks, rest } = await decode(file, geometry, preparation.image.channels);
  const prepared = applySteps(raster, rest);
  write(prepared, steps, out.image);
  await computeFields(item, preparation, prepared, out.fields, (folder) =>
    source.within === null ? noFiles(folder) : besideFile(join(folder, source.within), file, geometry),
  );
  return remarks;
}

async function noFiles(folder: string): Promise<never> {
  throw new RunError("run/data", {
    what: `The files in ${folder} belong to image files, and this data has none`,
    help: "Use data of image files in a folder, or compute from the image instead.",
  });
}

function preparePixels(source: Source & { kind: "pixels" }, item: Item, preparation: Preparation) {
  const { height, width, channels } = source.shape;
  if (channels !== preparation.image.channels) {
    throw new RunError("run/channels", {
      what: `The data has ${channels} channels and the model declares ${preparation.image.channels}`,
      help: `Write \`channels: ${channels}\` in the model's input, or use other data.`,
    });
  }
  const steps = planFor(source.shape, item, preparation, `sample ${item.sample}`);
  const raster: Raster = { pixels: source.pixels, height, width, channels };
  return { raster: applySteps(raster, geometryOf(steps)), steps };
}

const isGeometry = (step: ImageStep): step is Geometry => step.kind !== "normalize";
const geometryOf = (steps: readonly ImageStep[]): readonly Geometry[] => steps.filter(isGeometry);

/** As `draw`; a block's complaint names the image. */
function planFor(size: Size, item: Item, preparation: Preparation, what: string): readonly ImageStep[] {
  try {
    return draw(size, item, preparation, what);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError(
      "run/image-size",
      { what: `${what} does not fit`, why: error.what, help: error.help },
      { cause: error },
    );
  }
}

/** All steps for an image of a size, checked to end at the model's input. */
function draw(size: Size, item: Item, { augment, image, seed, mode }: Preparation, what: string): readonly ImageStep[] {
  const random = randomStream(seed, "augment", item.epoch, item.sample);
  const steps: ImageStep[] = [];
  let current = size;
  const add = (more: readonly ImageStep[]): void => {
    steps.push(...more);
    current = more.reduce(sizeAfter, current);
  };
  for (const { definition, values } of augment) {
    if (mode === "train" || !definition.random) {
      const before = current;
      add(definition.plan(values as never, current, { image }, random));
      if (current.height * current.width > mostPixels) throw tooLarge(what, before, current);
    } else add(definition.evaluationPlan?.(values as never, current, { image }) ?? []);
  }
  if (mode === "evaluate") add(cover(current, image));
  if (current.height !== image.height || current.width !== image.width) throw wrongSize(what, current, image);
  return steps;
}

function sizeAfter(size: Size, step: ImageStep): Size {
  return step.kind === "crop" || step.kind === "resize" ? { height: step.height, width: step.width } : size;
}

/** Resizes until the input is covered, then cuts the centre. Nothing for an image that fits. */
function cover(from: Size, to: Size): readonly ImageStep[] {
  if (from.height === to.height && from.width === to.width) return [];
  const scale = Math.max(to.height / from.height, to.width / from.width);
  const height = Math.max(to.height, Math.round(from.height * scale));
  const width = Math.max(to.width, Math.round(from.width * scale));
  return [
    { kind: "resize", height, width, filter: "bicubic" },
    {
      kind: "crop",
      top: Math.round((height - to.height) / 2),
      left: Math.round((width - to.width) / 2),
      height: to.height,
      width: to.width,
    },
  ];
}

/** A recipe that asks for more of one image means another image: one row of 5000 pixels does not get a shorter side of 512. */
const mostPixels = 2 ** 26;

const tooLarge = (what: string, size: Size, result: Size): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${size.height}x${size.width} and would be resized to ${result.height}x${result.width}`,
    why: `at most ${Math.floor(mostPixels / 1e6)} million pixels are made of one image`,
    help: "Take the image out, or resize to an exact size.",
  });

const wrongSize = (what: string, size: Size, image: ImageShape): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${size.height}x${size.width} after augmentation and the model's input is ${image.height}x${image.width}`,
    help: `Add \`resize(size: ${image.height}x${image.width})\` or \`random_resized_crop\` to the recipe's augment line, or change the model's input.`,
  });

/** Floats in the order of `out`: bytes / 255, then every `normalize` in its order. */
function write({ pixels, channels }: Raster, steps: readonly ImageStep[], out: Float32Array): void {
  const { scale, shift } = affine(steps, channels, pixels instanceof Uint8Array ? 255 : 1);
  for (let i = 0; i < pixels.length; i++) {
    const c = i % channels;
    out[i] = (pixels[i] as number) * (scale[c] as number) + (shift[c] as number);
  }
}

/** The normalisations as one `x * scale + shift` for each channel, on values in [0, largest]. */
function affine(steps: readonly ImageStep[], channels: number, largest: number) {
  const scale = new Float64Array(channels).fill(1 / largest);
  const shift = new Float64Array(channels);
  for (const step of steps) {
    if (step.kind !== "normalize") continue;
    for (let c = 0; c < channels; c++) {
      const std = step.std[c] as number;
      scale[c] = (scale[c] as number) / std;
      shift[c] = ((shift[c] as number) - (step.mean[c] as number)) / std;
    }
  }
  return { scale, shift };
}
