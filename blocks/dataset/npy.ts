/** Arrays and labels saved by NumPy. */

import { sizeOf } from "../../graph/index.js";
import {
  type ArrayShape,
  arrayLength,
  hasPictures,
  isPicture,
  type SampleWords,
  sidesText,
  wordsOf,
} from "../arrays.js";
import { choice, optional, text } from "../params.js";
import { axesText } from "../sets.js";
import {
  type ArrayReader,
  arrayParams,
  type LabelFlags,
  openArrays,
  type PlaceNumbers,
  type StoredArrays,
  testLabelsNeedImages,
} from "./arrays.js";
import { checkClasses } from "./classes.js";
import { stillImages, stillOfVideos } from "./clips.js";
import { DataError, defineDataset, type Files } from "./contract.js";
import { checkNpySize, type NpyHeader, type NpyType, type NpyValues, npyValues, readNpyHeader } from "./npy-file.js";

type Layout = "hwc" | "chw";
type Range = "unit" | "any";

/** Bytes of images that are looked through before training. */
const lookedThrough = 2 ** 28;
/** Labels that are read at once. */
const labelsAtOnce = 2 ** 20;

const savedAs: Record<Range, string> = {
  unit: "bool, uint8 (0..255), or float16, float32 or float64 in [0, 1]; with values: any, as any whole numbers or floats",
  any: "bool, whole numbers or floats of at most 64 bits",
};

const isFloat = (type: NpyType): boolean => type.startsWith("<f");
const isUnit = (type: NpyType): boolean => type === "|u1" || type === "|b1" || isFloat(type);

/** Opens an array whose header `check` accepts. */
async function openNpy(files: Files, path: string, savedAs: string, check: (header: NpyHeader) => void) {
  const file = await files.open(path, (beginning) => {
    const header = readNpyHeader(beginning, path, savedAs);
    check(header);
    return header;
  });
  checkNpySize(file.header, file.size, path);
  return file;
}

/** The numbers of one sample: bytes as they are, all else in single precision. Throws `DataError` for numbers out of the range. */
function numbersOf(values: NpyValues, type: NpyType, range: Range, where: Where): Uint8Array | Float32Array {
  if (type === "|u1" && range === "unit") return values as Uint8Array;
  const floats = values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number);
  const [least, most] = range === "unit" ? [0, 1] : [-maxFloat, maxFloat];
  const outside = floats.findIndex((value) => !(value >= least && value <= most));
  if (outside >= 0) throw outOfRange(values[outside] as number | bigint, range, where);
  return floats;
}

/** What is told of numbers: their file, which sample of it, and what its numbers are called. */
interface Where {
  readonly path: string;
  readonly sample: string;
  readonly values: string;
}

/** The largest number of single precision. */
const maxFloat = 2 ** 128 - 2 ** 104;

function outOfRange(value: number | bigint, range: Range, { path, sample, values }: Where): DataError {
  if (range === "any" || !Number.isFinite(Number(value))) {
    return new DataError(
      `${path} holds ${value} in ${sample}, which is no finite number of single precision`,
      "Leave such samples out, or replace such numbers: numpy.nan_to_num(array, posinf=..., neginf=...) does.",
    );
  }
  return new DataError(
    `${path} holds a value of ${value} in ${sample}, and float ${values} lie in [0, 1]`,
    "Write `values: any` in npy(...) to take all numbers as they are, or save (x - x.min()) / (x.max() - x.min()).",
  );
}

/** The array of one sample, with the axes of the one that the model reads; pictures may have another size. */
function shapeOf({ shape }: NpyHeader, layout: Layout, wanted: ArrayShape, path: string): ArrayShape {
  const [, ...sizes] = shape;
  const rank = wanted.axes.length;
  if (sizes.length !== rank && sizes.length !== rank + 1) {
    throw new DataError(
      `${path} has the shape (${shape.join(", ")}), and ${many(wanted)} have ${rank + 1} or ${rank + 2} axes`,
      `Axes are ${axesOf(wanted)}, and channels last (layout: hwc) or first (layout: chw).`,
    );
  }
  const channels = sizes.length === rank ? 1 : ((layout === "hwc" ? sizes.at(-1) : sizes[0]) as number);
  const sides = sizes.length === rank || layout === "hwc" ? sizes : sizes.slice(1);
  const found = { axes: wanted.axes.map(({ name }, i) => ({ name, size: sides[i] as number })), channels };
  checkSides(found, wanted, path);
  return found;
}

/** What is stored of what a model reads: of a cloud its points, which are grouped where they are prepared; of two frames a video. */
function storedOf(array: ArrayShape): ArrayShape {
  const { axes, channels, cloud, gap } = array;
  if (cloud) return { axes: [{ name: "point", size: cloud.points }], channels: 3, cloud };
  return gap ? { axes: [{ name: "time", size: gap.least + 1 }, ...axes], channels, gap } : array;
}

/** `images`, and such. A file of them holds arrays, and not the recordings that spectrograms are made of. */
const many = (array: ArrayShape): string => (array.sound ? "spectrograms" : `${wordsOf({ array }).sample}s`);

/** `images, height, width` */
const axesOf = (array: ArrayShape): string =>
  isPicture(array) ? "images, height, width" : ["samples", ...array.axes.map(({ name }) => name)].join(", ");

/** Pictures are brought to a size where samples are prepared; all else has to have it. */
function checkSides(found: ArrayShape, wanted: ArrayShape, path: string): void {
  // Of a cloud some points are drawn.
  const free = hasPictures(wanted) ? 2 : wanted.cloud ? 1 : 0;
  const fits = found.axes.every(({ size }, i) => {
    const asked = wanted.axes[i]?.size as number;
    return i >= found.axes.length - free || (wanted.gap ? size >= asked : size === asked);
  });
  if (fits) return;
  throw new DataError(
    `${path} holds ${many(wanted)} of ${sidesText(found)}, and the model reads ${sidesText(wanted)} (${axesText(wanted.axes)})`,
    "Save arrays of that size, or write the size of the data in the model's input.",
  );
}

/** [C, ...axes] -> [...axes, C] */
function channelsLast<A extends Uint8Array | Float32Array>(planes: A, { channels }: ArrayShape): A {
  const pixels = planes.slice() as A;
  const area = planes.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) pixels[i * channels + c] = planes[c * area + i] as number;
  }
  return pixels;
}

/** Reads images as clips of which every frame is the same. */
function stillReader({ layout, values }: { readonly layout: Layout; readonly values: Range }, array: ArrayShape) {
  const [time, ...axes] = array.axes as readonly [ArrayShape["axes"][number], ...ArrayShape["axes"]];
  const one = { ...array, axes };
  const reader = readerFor(layout, values, one, wordsOf({ array: one }));
  return {
    ...reader,
    async arrays(files: Files, path: string): Promise<StoredArrays> {
      const { count, shape, array: imageOf } = await reader.arrays(files, path);
      const clipOf = (i: number): Uint8Array | Float32Array => {
        const image = imageOf(i);
        const clip =
          image instanceof Float32Array
            ? new Float32Array(image.length * time.size)
            : new Uint8Array(image.length * time.size);
        for (let frame = 0; frame < time.size; frame++) clip.set(image, frame * image.length);
        return clip;
      };
      return { count, shape: { ...shape, axes: [time, ...shape.axes] }, array: clipOf };
    },
  };
}

const readerFor = (layout: Layout, range: Range, wanted: ArrayShape, words: SampleWords): ArrayReader => ({
  async arrays(files, path) {
    const { header, bytes } = await openNpy(files, path, savedAs[range], (found) => {
      shapeOf(found, layout, wanted, path);
      if (range === "any" || isUnit(found.type)) return;
      throw new DataError(`${path} holds ${many(wanted)} of type ${found.type}`, `Save them as ${savedAs.unit}.`);
    });
    const shape = shapeOf(header, layout, wanted, path);
    const length = arrayLength(shape) * header.width;
    const array = (i: number) => {
      const begin = header.begin + i * length;
      const where = { path, sample: `${words.sample} ${i}`, values: words.values };
      return numbersOf(npyValues(header.type, bytes(begin, begin + length)), header.type, range, where);
    };
    const count = header.shape[0] as number;
    // Of what is too large for memory, every so manieth: the others are checked when their turn comes.
    const step = Math.max(1, Math.ceil((count * length) / lookedThrough));
    if (header.type !== "|u1" && length > 0) for (let i = 0; i < count; i += step) array(i);
    const planar = layout === "chw" && shape.channels > 1;
    return { count, shape, array: planar ? (i) => channelsLast(array(i), shape) : array };
  },
  async labels(files, path) {
    const { header, bytes } = await openNpy(files, path, "integers of shape (N,)", ({ type, shape }) => {
      if (!isFloat(type) && (shape.length === 1 || (shape.length === 2 && (shape[1] as number) > 0))) return;
      throw new DataError(
        `${path} holds ${type} of shape (${shape.join(", ")}), and labels are one whole number for each ${words.sample}`,
        "Save them as integers of shape (N,), or where a sample may have several labels as zeros and ones of shape (N, classes).",
      );
    });
    const { type, width, begin, shape } = header;
    const [, classes] = shape;
    if (classes !== undefined) return flagsOf(npyValues(type, bytes(begin, header.size)), classes, path);
    const labels = new Int32Array(shape[0] as number);
    for (let first = 0; first < labels.length; first += labelsAtOnce) {
      const end = Math.min(labels.length, first + labelsAtOnce);
      const numbers = npyValues(type, bytes(begin + first * width, begin + end * width));
      labels.set(
        Int32Array.from(numbers as ArrayLike<number>, (label) => checkedLabel(Number(label), path)),
        first,
      );
    }
    return labels;
  },
  maps: readMaps,
});

/** Zeros and ones, a column for each class. */
function flagsOf(values: NpyValues, classes: number, path: string): LabelFlags {
  checkClasses(classes, path);
  const flags = new Uint8Array(values.length);
  for (const [i, value] of (values as Iterable<number | bigint> & NpyValues).entries()) {
    if (Number(value) !== 0 && Number(value) !== 1) {
      throw new DataError(
        `${path} holds ${value} in row ${Math.floor(i / classes)} of labels of shape (${values.length / classes}, ${classes})`,
        "Such a row has a one for each class of the sample, and zeros; one whole number a sample is saved as shape (N,).",
      );
    }
    flags[i] = Number(value);
  }
  return { flags, classes };
}

/** [N, ...axes] of whole numbers, or floats. */
async function readMaps(
  files: Files,
  path: string,
  { count, shape }: StoredArrays,
): Promise<(i: number) => PlaceNumbers> {
  const wanted = [count, ...shape.axes.map(({ size }) => size)];
  const { header, bytes } = await openNpy(files, path, `numbers of shape (${wanted.join(", ")})`, (found) => {
    if (found.shape.join() === wanted.join()) return;
    throw new DataError(
      `${path} holds ${found.type} of shape (${found.shape.join(", ")}), and its samples have places (${wanted.join(", ")})`,
      "Save a number for each place, in an array of the samples' shape without their channels.",
    );
  });
  const length = sizeOf(wanted.slice(1));
  return (i) => {
    const begin = header.begin + i * length * header.width;
    const numbers = npyValues(header.type, bytes(begin, begin + length * header.width)) as ArrayLike<number>;
    return isFloat(header.type) ? Float32Array.from(numbers, Number) : Int32Array.from(numbers, Number);
  };
}

function checkedLabel(label: number, path: string): number {
  if (label >= 0 && label <= 2 ** 31 - 1) return label;
  throw new DataError(`${path} holds the label ${label}`, "Labels count classes from 0.");
}

export const npy = defineDataset({
  name: "npy",
  summary: "Samples of any input and their labels in .npy files of NumPy.",
  source: "NumPy, A Simple File Format for NumPy Arrays (NEP 1)",
  since: "0.1",
  params: {
    ...arrayParams,
    maps: optional(
      text({
        doc: "File with the class of each place of the training images, whole numbers [N, H, W], or with a value, such as its depth; if absent, there are none.",
      }),
    ),
    test_maps: optional(text({ doc: "The same for the test images." })),
    layout: choice({
      default: "hwc",
      options: {
        hwc: "Channels last: [N, H, W, C], or [N, H, W] with one channel; of other inputs, their axes in the place of H and W.",
        chw: "Channels first: [N, C, H, W], as PyTorch keeps them.",
      },
      doc: "Order of the axes of the array.",
    }),
    values: choice({
      default: "unit",
      options: {
        unit: "Intensities: bytes 0..255, floats in [0, 1], or false and true.",
        any: "Finite numbers of any type and size, as they are: z-scores, decibels, counts.",
      },
      doc: "What the numbers are.",
    }),
    still: stillImages,
  },
  positional: "images",
  requires: [
    testLabelsNeedImages,
    stillOfVideos,
    {
      name: "test-maps-need-images",
      at: "test_maps",
      doc: "`test_maps` stands beside `test_images`.",
      holds: (p) => p.test_maps === null || p.test_images !== null,
      say: () => "`test_maps` are of the test images, and there are no `test_images`",
      help: () => "write `test_images`, or remove `test_maps`",
    },
  ],
  open: (p, files, split, { array }) =>
    openArrays(p, files, split, {
      reader:
        p.still === true ? stillReader(p, array) : readerFor(p.layout, p.values, storedOf(array), wordsOf({ array })),
      array,
    }),
});
