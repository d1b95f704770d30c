/**
 * Arrays that are numbers already: their pictures cropped, resized and flipped, all of a sample alike, so that the frames of a clip
 * stay frames of one scene.
 */

import {
  type ArrayShape,
  type AugmentStep,
  axesText,
  hasPictures,
  isRecorded,
  isVolume,
  type Medium,
  mediumOf,
  planesOf,
  sidesText,
  type TableShape,
  tableChannels,
  textChannels,
} from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { RunError, reasonOf } from "../run-error.js";
import { pixelStepsOf, planFor } from "./image/plan.js";
import { type Size, sameKind } from "./image/raster.js";
import { applySteps, type PixelStep } from "./image/steps.js";
import { meshOf } from "./mesh/mesh.js";
import { cloudOf, type Drawing, type Drawn, type InSpace } from "./points/cloud.js";
import { BrokenShape } from "./points/shape.js";
import type { Item, NamedArray, Numbers, Preparation } from "./preparation.js";
import { BrokenRecording, inMemory } from "./recording/recording.js";
import { signalOf } from "./recording/signal.js";
import { changeRecordings } from "./recording/steps.js";
import { BrokenVolume, triple } from "./volume/volume.js";
import { arrayOfVolume, changeVolumes, volumeInMemory } from "./volume/volume-file.js";

interface Stored {
  readonly numbers: Numbers;
  readonly shape: ArrayShape;
}

/** Throws `run/channels` or `run/image-size` for an array that is not, and cannot be made, one of the model's. */
export async function prepareNumbers(
  { numbers, shape }: Stored,
  item: Item,
  named: NamedArray,
  preparation: Preparation,
): Promise<PreparedNumbers> {
  const { shape: array } = named;
  // What else a point of a cloud has is made here.
  const channels = array.cloud ? 3 : array.channels;
  if (shape.channels !== channels) throw wrongChannels(shape.channels, channels);
  const what = `sample ${item.sample}`;
  if (isRecorded(array)) {
    const size = planesOf(array).shape;
    const steps = planFor(size, item, named, preparation, what);
    if (changeRecordings(steps, array))
      return { numbers: await changedSignal({ numbers, shape }, steps, array, what), size, steps };
  }
  const inSpace = placedInSpace[mediumOf(array) ?? "image"];
  if (inSpace) {
    const size = planesOf(array).shape;
    const steps = planFor(size, item, named, preparation, what);
    const stored = Float32Array.from(numbers);
    const drawn = { drawing: drawingOf(item, named, preparation), label: item.label };
    return { ...(await unbroken(what, async () => inSpace(stored, array, steps, drawn, what))), size, steps };
  }
  if (isVolume(array)) {
    const steps = planFor(planesOf(array).shape, item, named, preparation, what);
    if (changeVolumes(steps)) {
      const stored = await changedVolume({ numbers, shape }, steps, array, what);
      return preparePlanes(stored, item, named, preparation);
    }
  }
  return preparePlanes({ numbers, shape }, item, named, preparation);
}

/** Of media that lie in space: the array that a model reads, of the numbers of one that is stored. */
const placedInSpace: {
  readonly [M in Medium]?: (
    stored: Float32Array,
    array: ArrayShape,
    steps: readonly AugmentStep[],
    drawn: Drawn,
    what: string,
  ) => InSpace;
} = {
  points: (points, ...others) => cloudOf({ points, faces: null }, ...others),
  mesh: (stored, array, steps) => ({ numbers: meshOf(stored, array, steps), taken: null }),
};

/** Keys of streams of points begin here: those before are of augmentations, and of where clips begin. */
const firstDrawn = 2 ** 16;

/** How points of a sample are drawn: anew in each epoch of training, and the same ones whenever it is evaluated. */
export function drawingOf({ epoch, sample }: Item, { name }: NamedArray, { arrays, seed, mode }: Preparation): Drawing {
  const stream = firstDrawn + Object.keys(arrays).indexOf(name);
  return mode === "train"
    ? { random: randomStream(seed, "augment", epoch, sample, stream), isFixed: false }
    : { random: randomStream(0, "augment", 0, sample, stream), isFixed: true };
}

interface PreparedNumbers {
  readonly numbers: Numbers;
  /** Of a cloud, which of its points were taken. */
  readonly taken?: Int32Array | null;
  readonly size: Size;
  readonly steps: readonly AugmentStep[];
}

/** What is left to do where nothing changes a sample as a whole: its pictures cropped, resized and flipped. Throws as `prepareNumbers`. */
export function preparePlanes(
  { numbers, shape }: Stored,
  item: Item,
  named: NamedArray,
  preparation: Preparation,
): PreparedNumbers {
  const { shape: array } = named;
  const what = `sample ${item.sample}`;
  const planes = planesOf(shape);
  if (planes.count !== planesOf(array).count || !(hasPictures(array) || sameSides(shape, array))) {
    throw wrongSides(what, shape, array);
  }
  if (array.ids) checkIds(numbers, array, what);
  if (array.table) checkColumns(numbers, array, array.table, what);
  const steps = planFor(planes.shape, item, named, preparation, what);
  if ((array.ids || array.table) && steps.length > 0) throw augmentedNames(array);
  return { numbers: eachPlane(numbers, planes, pixelStepsOf(steps)), size: planes.shape, steps };
}

/** A stored volume, changed as a whole. */
async function changedVolume(
  { numbers, shape }: Stored,
  steps: readonly AugmentStep[],
  array: ArrayShape,
  what: string,
): Promise<Stored> {
  const size = triple((a) => shape.axes[a]?.size ?? 1);
  const values = numbers instanceof Uint8Array ? Float32Array.from(numbers, (value) => value / 255) : numbers;
  return unbroken(what, () =>
    arrayOfVolume(volumeInMemory(values, size, shape.channels, array.spacing ?? null), steps, array, what),
  );
}

/** Tells of stored numbers what is told of files. */
async function unbroken<T>(what: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (![BrokenRecording, BrokenShape, BrokenVolume].some((kind) => error instanceof kind)) throw error;
    const message = reasonOf(error);
    const help = "Save it again, or change the recipe.";
    throw new RunError("run/data", { what: `${what} cannot be used: ${message}`, help });
  }
}

/** A stored signal as a recording, and as an array again. */
async function changedSignal(
  { numbers, shape }: Stored,
  steps: readonly AugmentStep[],
  array: ArrayShape,
  what: string,
): Promise<Numbers> {
  const [leads, samples] = shape.axes.map(({ size }) => size) as [number, number];
  if (array.sound || shape.channels !== 1) {
    throw new RunError("run/data", {
      what: `${what} is ${array.sound ? "a spectrogram" : "a signal with channels"} already, and the recipe changes what it is made of`,
      help: "Remove from the recipe's augment line what changes recordings, or use data of sounds in a folder.",
    });
  }
  const channels = Array.from({ length: leads }, (_, k) =>
    Float64Array.from(numbers.subarray(k * samples, (k + 1) * samples)),
  );
  const recording = inMemory(channels, { rate: array.rate ?? null, names: null });
  return unbroken(what, () => signalOf(recording, steps, array, what));
}

const augmentedNames = ({ ids }: ArrayShape): RunError =>
  new RunError("run/data", {
    what: ids ? "the recipe augments a text" : "the recipe augments rows of a table",
    why: ids
      ? "augmentations change amounts, and the numbers of a text are names of tokens"
      : "augmentations change amounts, and a row has categories and marks of what is missing, too",
    help: ids
      ? "Remove `augment` from the recipe: what is masked is drawn anew in every epoch."
      : "Remove `augment` from the recipe: the model's `columns` say how numbers are scaled.",
  });

/** Throws `run/data` for a row with a category that a column does not have, or a mark that is neither 1 nor 0. */
function checkColumns(numbers: Numbers, { channels }: ArrayShape, { columns }: TableShape, what: string): void {
  for (const [i, column] of columns.entries()) {
    const value = numbers[i * channels + tableChannels.value] as number;
    const known = numbers[i * channels + tableChannels.known] as number;
    const isFit =
      column.kind === "number" || (Number.isInteger(value) && value >= 0 && value < column.categories.length);
    if (isFit && (known === 0 || known === 1)) continue;
    throw new RunError("run/data", {
      what: isFit
        ? `${what} says of \`${column.name}\` that it is known by ${known}`
        : `${what} has the category ${value} of \`${column.name}\``,
      help: "Save [value, known] of each column: categories are numbered from 0, known is 1 or 0.",
    });
  }
}

/** Throws `run/data` for a text with a number that is no id of the vocabulary: no table has a row for it. */
function checkIds(numbers: Numbers, { channels, ids }: ArrayShape, what: string): void {
  const last = (ids?.vocabulary ?? 0) - 1;
  for (let at = textChannels.id; at < numbers.length; at += channels) {
    const id = numbers[at] as number;
    if (Number.isInteger(id) && id >= 0 && id <= last) continue;
    throw new RunError("run/data", {
      what: `${what} has the id ${id} at place ${Math.floor(at / channels)}, and the model's vocabulary has 0 to ${last}`,
      help: "Write the number of ids in `text(vocabulary: ...)` of the model's input, or make the ids by the model's vocabulary.",
    });
  }
}

const sameSides = (a: ArrayShape, b: ArrayShape): boolean => sidesText(a) === sidesText(b);

/** The steps carried out on every plane. */
export function eachPlane(
  numbers: Numbers,
  { count, shape }: ReturnType<typeof planesOf>,
  ofPixels: readonly PixelStep[],
): Numbers {
  if (ofPixels.length === 0) return numbers;
  const length = numbers.length / count;
  const planes = Array.from(
    { length: count },
    (_, i) => applySteps({ ...shape, pixels: numbers.subarray(i * length, (i + 1) * length) }, ofPixels).pixels,
  );
  return joined(planes);
}

/** One after another. */
export function joined(planes: readonly Numbers[]): Numbers {
  const [first] = planes as readonly [Numbers, ...Numbers[]];
  if (planes.length === 1) return first;
  const whole = sameKind(first, planes.length * first.length);
  for (const [i, plane] of planes.entries()) whole.set(plane, i * first.length);
  return whole;
}

const wrongChannels = (has: number, declared: number): RunError =>
  new RunError("run/channels", {
    what: `The data has ${has} channels and the model declares ${declared}`,
    help: `Write \`channels: ${has}\` in the model's input, or use other data.`,
  });

const wrongSides = (what: string, has: ArrayShape, array: ArrayShape): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${sidesText(has)} and the model's input is ${sidesText(array)} (${axesText(array.axes)})`,
    help: "Save arrays of that size, or change the model's input.",
  });
