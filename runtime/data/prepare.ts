/**
 * From one sample to the floats a model sees: draw the augmentation plan, decode, carry it out, normalise.
 * A pure function of the sample's bytes, the recipe and the stream, so it does not matter which thread does it, or when.
 */

import { join } from "node:path";
import {
  type ArrayShape,
  type AugmentStep,
  augmentsOf,
  hasPictures,
  isOfPictures,
  isVolume,
  type Medium,
  mediumOf,
  planesOf,
} from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import { computeFields } from "./fields.js";
import { besideFile } from "./image/beside.js";
import type { Remark } from "./image/channels.js";
import { decode, openImage } from "./image/decode.js";
import { prepareClip, prepareFrames } from "./image/frames.js";
import { geometryOf, pixelStepsOf, planFor } from "./image/plan.js";
import type { Size } from "./image/raster.js";
import { applySteps } from "./image/steps.js";
import { prepareNumbers, preparePlanes } from "./numbers.js";
import {
  type Item,
  type NamedArray,
  type Numbers,
  type Places,
  type Preparation,
  pathOf,
  type Source,
} from "./preparation.js";
import { checkSignal, signalArray } from "./recording/signal.js";
import { stepsOfNumbers } from "./recording/steps.js";
import { checkSound, soundArray } from "./sound/sound-file.js";
import { arrayOfVolume, checkVolume, withVolume } from "./volume/volume-file.js";
import { writeNumbers } from "./write.js";

/** What one input reads of a sample, before it is normalised, and what is left to do with it. */
interface Prepared {
  /** [...axes, C] of the model's array. */
  readonly numbers: Numbers;
  /** Of its pictures, before they were changed. */
  readonly size: Size;
  readonly steps: readonly AugmentStep[];
  readonly remarks: readonly Remark[];
  /** The maps of the file that belongs to the sample in a folder. */
  readonly beside: (folder: string) => Promise<readonly Int32Array[]>;
}

/** What was done to a file beyond the recipe. */
export interface FileRemark {
  readonly remark: Remark;
  readonly path: string;
}

/**
 * Writes the arrays of a sample and its fields into their places. `begin` is told of each file that is begun: what is thrown then is of
 * it. Throws `BrokenFile` for a file that cannot be read; what does not fit the model, `run/data` or `run/unreadable`.
 */
export async function prepare(
  item: Item,
  preparation: Preparation,
  out: Places,
  begin: (path: string) => void,
): Promise<readonly FileRemark[]> {
  const found: FileRemark[] = [];
  let size: NamedSize | null = null;
  const [first] = Object.keys(preparation.arrays);
  for (const [name, shape] of Object.entries(preparation.arrays)) {
    const source = item.sources[name] as Source;
    const path = pathOf(source);
    begin(path);
    const prepared = await preparedFrom(source, item, { name, shape }, preparation);
    size = sameSize(size, { name, size: prepared.size }, item, preparation);
    writeNumbers(prepared.numbers, shape, stepsOfNumbers(prepared.steps, shape), out.arrays[name] as Float32Array);
    const fields = Object.entries(preparation.fields).filter(([, { input = first }]) => input === name);
    await computeFields(
      item,
      { ...preparation, fields: Object.fromEntries(fields) },
      prepared.numbers,
      out.fields,
      prepared.beside,
    );
    found.push(...prepared.remarks.map((remark) => ({ remark, path })));
  }
  return found;
}

interface NamedSize {
  readonly name: string;
  readonly size: Size;
}

/** Inputs whose pictures are cropped and flipped alike have pictures of one size. Gives the size that the next input is compared with. */
function sameSize(
  before: NamedSize | null,
  now: NamedSize,
  { sample }: Item,
  { augment, arrays, mode }: Preparation,
): NamedSize | null {
  const isDrawn = ({ definition, input }: Preparation["augment"][number]): boolean =>
    input === undefined && definition.random && isOfPictures(definition);
  const isPictured = hasPictures(arrays[now.name] as ArrayShape);
  if (mode !== "train" || !isPictured || !augmentsOf(augment, now.name, arrays).some(isDrawn)) return before;
  if (before === null || (before.size.height === now.size.height && before.size.width === now.size.width)) return now;
  const [own, its] = [now.size, before.size].map(({ height, width }) => `${height}x${width}`);
  throw new RunError("run/image-size", {
    what: `sample ${sample} is ${own} for ${now.name} and ${its} for ${before.name}`,
    why: "augmentations without a label crop and flip all inputs of a sample alike",
    help: `Save both in one size, or write a line for each: \`augment ${now.name}: ...\`.`,
  });
}

async function preparedFrom(
  source: Source,
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<Prepared> {
  switch (source.kind) {
    case "file":
      return prepareFile(source, item, array, preparation);
    case "frames":
      if (isVolume(array.shape)) return prepareVolume(source.path, source.names, { item, array, preparation });
      return { ...(await prepareFrames(source, item, array, preparation)), beside: noFiles };
    case "array":
      return { ...(await prepareNumbers(source, item, array, preparation)), remarks: [], beside: noFiles };
  }
}

async function prepareFile(
  { path, within, clip }: Source & { kind: "file" },
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<Prepared> {
  const { shape } = array;
  if (clip) return { ...(await prepareClip(path, clip, item, array, preparation)), beside: noFiles };
  if (isVolume(shape)) return prepareVolume(path, [], { item, array, preparation });
  const read = arrayFiles[mediumOf(shape) ?? "image"];
  if (read) {
    const steps = arraySteps(path, array, preparation, item);
    const numbers = await read(path, shape, steps);
    return { numbers, size: planesOf(shape).shape, steps, remarks: [], beside: noFiles };
  }
  const file = await openImage(path);
  const steps = planFor(file, item, array, preparation, path);
  const { raster, remarks, rest } = await decode(file, pixelStepsOf(steps), shape.channels);
  const beside = (folder: string) =>
    within === null ? noFiles(folder) : besideFile(join(folder, within), file, geometryOf(steps));
  return { numbers: applySteps(raster, rest).pixels, size: file, steps, remarks, beside };
}

interface Asked {
  readonly item: Item;
  readonly array: NamedArray;
  readonly preparation: Preparation;
}

/** A file, or a folder with the slices of these names: changed as a whole, and then slice by slice as any array is. */
async function prepareVolume(
  path: string,
  names: readonly string[],
  { item, array, preparation }: Asked,
): Promise<Prepared> {
  const { shape } = array;
  const steps = arraySteps(path, array, preparation, item);
  const stored = await withVolume(path, names, (volume) => arrayOfVolume(volume, steps, shape, path));
  return { ...preparePlanes(stored, item, array, preparation), remarks: [], beside: noFiles };
}

/** The steps of a file that is read as an array of the model's own size. */
export const arraySteps = (
  path: string,
  array: NamedArray,
  preparation: Preparation,
  item: Pick<Item, "epoch" | "sample"> = { epoch: 0, sample: 0 },
): readonly AugmentStep[] => planFor(planesOf(array.shape).shape, item, array, preparation, path);

type OfSteps<T> = (path: string, array: ArrayShape, steps: readonly AugmentStep[]) => Promise<T>;

/** Media whose files are read as the numbers of the array that the model declares, carrying out what changes what it is made of. */
const arrayFiles: { readonly [M in Medium]?: OfSteps<Float32Array> } = { spectrogram: soundArray, signal: signalArray };

/** By the medium: throws for a file that is not of the kind that the model declares, with as little work as tells that. If absent, files are images. */
export const looks: { readonly [M in Medium]?: OfSteps<void> } = {
  spectrogram: checkSound,
  signal: checkSignal,
  volume: checkVolume,
};

async function noFiles(folder: string): Promise<never> {
  throw new RunError("run/data", {
    what: `The files in ${folder} belong to image files, and this data has none`,
    help: "Use data of image files in a folder, or compute from the image instead.",
  });
}
