/**
 * From one sample to the floats a model sees: draw the augmentation plan, decode, carry it out, normalise.
 * A pure function of the sample's bytes, the recipe and the stream, so it does not matter which thread does it, or when.
 */

import { join } from "node:path";
import {
  type Annotated,
  type ArrayShape,
  type AugmentStep,
  arrayLength,
  augmentsOf,
  hasPictures,
  isOfPictures,
  isVolume,
  type Medium,
  mediumOf,
  movedObjects,
  planesOf,
} from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import { BrokenFile } from "./broken-file.js";
import { type BesideSample, computeFields, mixLabels } from "./fields.js";
import { besideFile } from "./image/beside.js";
import type { Remark } from "./image/channels.js";
import { decode, openImage } from "./image/decode.js";
import { framesInMemory, prepareClip, prepareFrames } from "./image/frames.js";
import { geometryOf, pixelStepsOf, planFor } from "./image/plan.js";
import type { Size } from "./image/raster.js";
import { applySteps } from "./image/steps.js";
import type { Kept } from "./kept.js";
import { checkedNumbers, imageMap, storedMap, volumeMap } from "./map.js";
import { checkMesh, meshArray } from "./mesh/mesh.js";
import { drawingOf, prepareNumbers, preparePlanes } from "./numbers.js";
import {
  type CloudPrepared,
  checkCloud,
  cloudArray,
  type Drawn,
  type InSpace,
  type ShapeFile,
  takenOf,
} from "./points/cloud.js";
import {
  type Item,
  type NamedArray,
  type Numbers,
  type Places,
  type Preparation,
  pathOf,
  preparedOf,
  type Source,
} from "./preparation.js";
import { checkSignal, signalArray } from "./recording/signal.js";
import { stepsOfNumbers } from "./recording/steps.js";
import { checkSound, type OtherRecording, soundArray } from "./sound/sound-file.js";
import type { Volume } from "./volume/volume.js";
import { arrayOfVolume, checkVolume, spaced, withVolume } from "./volume/volume-file.js";
import { writeNumbers } from "./write.js";

/** What one input reads of a sample, before it is normalised, and what is left to do with it. */
interface Prepared extends BesideSample {
  /** [...axes, C] of the model's array. */
  readonly numbers: Numbers;
  /** Of its pictures, before they were changed. */
  readonly size: Size;
  readonly steps: readonly AugmentStep[];
  readonly remarks: readonly Remark[];
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
  if (preparation.streams) return prepareViews(item, preparation, out, begin);
  const found: FileRemark[] = [];
  let size: NamedSize | null = null;
  const [first] = Object.keys(preparation.arrays);
  for (const [name, shape] of Object.entries(preparation.arrays)) {
    const source = item.sources[name] as Source;
    const path = pathOf(source);
    begin(path);
    const prepared = await preparedFrom(source, item, { name, shape }, preparation).catch((error) => {
      // It may be the other one that is broken.
      if (error instanceof BrokenFile && error.path === otherPath(item, name)) begin(error.path);
      throw error;
    });
    size = sameSize(size, { name, size: prepared.size }, item, preparation);
    writeNumbers(prepared.numbers, shape, stepsOfNumbers(prepared.steps, shape), out.arrays[name] as Float32Array);
    const fields = Object.entries(preparation.fields).filter(([, { input = first }]) => input === name);
    const asked = { ...preparation, fields: Object.fromEntries(fields) };
    await computeFields(item, asked, prepared.numbers, out.fields, prepared);
    if (item.other) mixLabels(item.other, asked.fields, out.fields);
    found.push(...prepared.remarks.map((remark) => ({ remark, path })));
  }
  return found;
}

const otherPath = ({ other }: Item, name: string): string | null => {
  const source = other?.sources[name];
  return source ? pathOf(source) : null;
};

/** Writes the views of a sample, those of each stream one after the other. No field is computed of views. */
async function prepareViews(
  item: Item,
  preparation: Preparation,
  out: Places,
  begin: (path: string) => void,
): Promise<readonly FileRemark[]> {
  const found = new Map<string, FileRemark>();
  for (const { name, of, shape, views } of preparedOf(preparation)) {
    const source = item.sources[of] as Source;
    const path = pathOf(source);
    const rows = out.arrays[name] as Float32Array;
    const length = arrayLength(shape);
    begin(path);
    for (const [row, view] of (views ?? []).entries()) {
      const prepared = await preparedFrom(source, item, { name, shape, view }, preparation);
      const into = rows.subarray(row * length, (row + 1) * length);
      writeNumbers(prepared.numbers, shape, stepsOfNumbers(prepared.steps, shape), into);
      for (const remark of prepared.remarks) found.set(remark, { remark, path });
    }
  }
  return [...found.values()];
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

/** What one input reads of a sample. Throws as `prepare`. */
export async function preparedFrom(
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
      return { ...(await prepareFrames(source, item, array, preparation)), ...nothingBeside };
    case "array":
      return arrayPrepared(source, item, array, preparation);
  }
}

async function arrayPrepared(
  source: Source & { kind: "array" },
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<Prepared> {
  if (item.other) {
    throw new RunError("run/data", {
      what: "`mix_sounds` mixes recordings, and the data are spectrograms already",
      help: "Use data of sound files, or write `mixup(cutmix: 0)`, which mixes spectrograms.",
    });
  }
  const { annotated, map } = source;
  const prepared = await prepareNumbers(framesInMemory(source, item, array, preparation), item, array, preparation);
  const objects = annotated ? () => movedObjects(annotated, geometryOf(prepared.steps)) : noObjects;
  const { steps } = prepared;
  const { taken } = prepared;
  const stored = map && {
    numbers: taken === undefined ? map : takenOf(map, taken, ofSample(item, source.shape)),
    shape: source.shape,
  };
  return {
    ...prepared,
    remarks: [],
    beside: noFiles,
    objects,
    map: stored ? (of) => storedMap(stored, array.shape, steps, of) : noMap,
  };
}

const ofSample = ({ sample }: Item, { axes }: ArrayShape) => {
  const path = `sample ${sample}`;
  return { all: axes[0]?.size ?? 0, path, from: `the map of ${path}` };
};

async function prepareFile(
  { path, within, clip, annotated, map, property }: Source & { kind: "file" },
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<Prepared> {
  const { shape } = array;
  if (clip) return { ...(await prepareClip(path, clip, item, array, preparation)), ...nothingBeside };
  if (isVolume(shape)) return prepareVolume(path, [], { item, array, preparation }, map);
  const medium = mediumOf(shape) ?? "image";
  const place = filesInSpace[medium];
  if (place) {
    const steps = arraySteps(path, array, preparation, item);
    const file = { path, ...(property === undefined ? {} : { property }), ...(map === undefined ? {} : { map }) };
    const drawn = { drawing: drawingOf(item, array, preparation), label: item.label };
    const { numbers, said } = await place(file, shape, steps, drawn);
    const prepared = { numbers, size: planesOf(shape).shape, steps, remarks: [], ...nothingBeside };
    return said ? { ...prepared, map: async (of) => checkedNumbers(of, await said(), map ?? path) } : prepared;
  }
  const read = arrayFiles[medium];
  if (read) {
    const steps = arraySteps(path, array, preparation, item);
    const { kept } = preparation;
    const fixed = kept && isFixed(array, preparation) ? kept.arrays : null;
    const known = await fixed?.(`${array.name} ${path}`, () => read(path, shape, steps));
    const numbers = known ?? (await read(path, shape, steps, kept, otherRecording(item, array, preparation)));
    return { numbers, size: planesOf(shape).shape, steps, remarks: [], ...nothingBeside };
  }
  const file = await openImage(path, preparation.kept);
  const steps = planFor(file, item, array, preparation, path);
  const geometry = geometryOf(steps);
  const { raster, remarks, rest } = await decode(file, pixelStepsOf(steps), shape.channels, preparation.kept);
  return {
    ...{ numbers: applySteps(raster, rest).pixels, size: file, steps, remarks },
    beside: (folder) => (within === null ? noFiles(folder) : besideFile(join(folder, within), file, geometry)),
    objects: annotated ? () => movedObjects(ofSize(annotated, file, path), geometry) : noObjects,
    map: map === undefined ? noMap : (of) => imageMap(map, file, shape, steps, of),
  };
}

/** Whether an array is the same in every epoch, before what is done to the numbers of spectrograms. */
const isFixed = ({ name, view }: NamedArray, { augment, arrays }: Preparation): boolean =>
  !view &&
  augmentsOf(augment, name, arrays).every(
    ({ definition }) => !definition.random || definition.changes === "spectrograms",
  );

/** Throws `run/data` where the objects are of an image of another size. */
function ofSize(annotated: Annotated, { height, width }: Size, path: string): Annotated {
  const { size } = annotated;
  if (size.height === height && size.width === width) return annotated;
  throw new RunError("run/data", {
    what: `${path} is ${height}x${width} and its annotations are of ${size.height}x${size.width}`,
    help: "Name the images that were annotated, turned as their orientation says.",
  });
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
  map?: string,
): Promise<Prepared> {
  const { shape } = array;
  const whole = arraySteps(path, array, preparation, item);
  // Maps of classes are of volumes as they were.
  const as = (volume: Volume) => (map === undefined ? spaced(volume, whole, shape) : volume);
  const kept = preparation.kept && { by: preparation.kept, as };
  const ofVolume = async (volume: Volume) => ({
    size: volume.size,
    ...(await arrayOfVolume(volume, whole, shape, path)),
  });
  const { size, ...stored } = await withVolume(path, names, ofVolume, kept);
  const prepared = preparePlanes(stored, item, array, preparation);
  const moved = { whole, planes: prepared.steps };
  const read: BesideSample["map"] = map === undefined ? noMap : (of) => volumeMap(map, size, shape, moved, of);
  return { ...prepared, remarks: [], ...nothingBeside, map: read };
}

/** The steps of a file that is read as an array of the model's own size. */
export const arraySteps = (
  path: string,
  array: NamedArray,
  preparation: Preparation,
  item: Pick<Item, "epoch" | "sample"> = { epoch: 0, sample: 0 },
): readonly AugmentStep[] => planFor(planesOf(array.shape).shape, item, array, preparation, path);

/** The recording that is mixed with that of a sample, changed by draws of its own; undefined: none is. */
function otherRecording(
  { other, epoch }: Item,
  array: NamedArray,
  preparation: Preparation,
): OtherRecording | undefined {
  const source = other?.sources[array.name];
  if (!other || source?.kind !== "file") return undefined;
  const steps = arraySteps(source.path, array, preparation, { epoch, sample: other.sample });
  return { path: source.path, steps, ownShare: other.ownShare };
}

type OfSteps<T> = (
  path: string,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  kept?: Kept,
  other?: OtherRecording,
) => Promise<T>;

/** Media whose files are read as the numbers of the array that the model declares, carrying out what changes what it is made of. */
const arrayFiles: { readonly [M in Medium]?: OfSteps<Float32Array> } = { spectrogram: soundArray, signal: signalArray };

/** Media that lie in space, of which points are drawn. */
const filesInSpace: {
  readonly [M in Medium]?: (
    file: ShapeFile,
    array: ArrayShape,
    steps: readonly AugmentStep[],
    drawn: Drawn,
  ) => Promise<InSpace & Partial<CloudPrepared>>;
} = {
  points: cloudArray,
  mesh: async ({ path }, array, steps) => ({ numbers: await meshArray(path, array, steps), taken: null }),
};

/** By the medium: throws for a file that is not of the kind that the model declares, with as little work as tells that. If absent, files are images. */
export const looks: { readonly [M in Medium]?: OfSteps<void> } = {
  spectrogram: checkSound,
  signal: checkSignal,
  volume: checkVolume,
  points: checkCloud,
  mesh: checkMesh,
};

function noObjects(): never {
  throw new RunError("run/data", {
    what: "The model finds objects, and the data name none",
    help: "Use data with boxes, such as `coco(...)`.",
  });
}

async function noFiles(folder: string): Promise<never> {
  throw new RunError("run/data", {
    what: `The files in ${folder} belong to image files, and this data has none`,
    help: "Use data of image files in a folder, or compute from the image instead.",
  });
}

async function noMap(): Promise<never> {
  throw new RunError("run/data", {
    what: "The model says what stands at each place, and the data do not",
    help: "Write `maps` in the recipe's data: files with the class or the value of each place; of clouds also `parts`, where their own files say it.",
  });
}

/** Of samples that are no image files. */
const nothingBeside: BesideSample = { beside: noFiles, objects: noObjects, map: noMap };
