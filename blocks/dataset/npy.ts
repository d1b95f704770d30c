/** Images and labels saved by NumPy. */

import { type ImageShape, imageLength } from "../arrays.js";
import { choice } from "../params.js";
import { type ArrayReader, arrayParams, openArrays, testLabelsNeedImages } from "./arrays.js";
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

/** The pixels of image `i`: bytes as they are, all else in single precision. Throws `DataError` for numbers out of the range. */
function pixelsOf(values: NpyValues, type: NpyType, range: Range, i: number, path: string): Uint8Array | Float32Array {
  if (type === "|u1" && range === "unit") return values as Uint8Array;
  const floats = values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number);
  const [least, most] = range === "unit" ? [0, 1] : [-maxFloat, maxFloat];
  const outside = floats.findIndex((value) => !(value >= least && value <= most));
  if (outside >= 0) throw outOfRange(values[outside] as number | bigint, range, i, path);
  return floats;
}

/** The largest number of single precision. */
const maxFloat = 2 ** 128 - 2 ** 104;

function outOfRange(value: number | bigint, range: Range, i: number, path: string): DataError {
  if (range === "any" || !Number.isFinite(Number(value))) {
    return new DataError(
      `${path} holds ${value} in image ${i}, which is no finite number of single precision`,
      "Leave such images out, or replace such numbers: numpy.nan_to_num(array, posinf=..., neginf=...) does.",
    );
  }
  return new DataError(
    `${path} holds a pixel of ${value} in image ${i}, and float pixels lie in [0, 1]`,
    "Write `values: any` in npy(...) to take all numbers as they are, or save (x - x.min()) / (x.max() - x.min()).",
  );
}

function shapeOf({ shape }: NpyHeader, layout: Layout, path: string): ImageShape {
  const [, first = 0, second = 0, third = 1] = shape;
  if (shape.length === 3) return { height: first, width: second, channels: 1 };
  if (shape.length !== 4) {
    throw new DataError(
      `${path} has the shape (${shape.join(", ")}), and images have 3 or 4 axes`,
      "Axes are images, height, width, and channels last (layout: hwc) or first (layout: chw).",
    );
  }
  return layout === "hwc"
    ? { height: first, width: second, channels: third }
    : { height: second, width: third, channels: first };
}

/** [C, H, W] -> [H, W, C] */
function channelsLast<A extends Uint8Array | Float32Array>(planes: A, { height, width, channels }: ImageShape): A {
  const pixels = planes.slice() as A;
  const area = height * width;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) pixels[i * channels + c] = planes[c * area + i] as number;
  }
  return pixels;
}

const readerFor = (layout: Layout, range: Range): ArrayReader => ({
  async images(files, path) {
    const { header, bytes } = await openNpy(files, path, savedAs[range], (found) => {
      shapeOf(found, layout, path);
      if (range === "any" || isUnit(found.type)) return;
      throw new DataError(`${path} holds images of type ${found.type}`, `Save them as ${savedAs.unit}.`);
    });
    const shape = shapeOf(header, layout, path);
    const length = imageLength(shape) * header.width;
    const image = (i: number) => {
      const begin = header.begin + i * length;
      return pixelsOf(npyValues(header.type, bytes(begin, begin + length)), header.type, range, i, path);
    };
    const count = header.shape[0] as number;
    // Of what is too large for memory, every so manieth: the others are checked when their turn comes.
    const step = Math.max(1, Math.ceil((count * length) / lookedThrough));
    if (header.type !== "|u1" && length > 0) for (let i = 0; i < count; i += step) image(i);
    const planar = layout === "chw" && shape.channels > 1;
    return { count, shape, image: planar ? (i) => channelsLast(image(i), shape) : image };
  },
  async labels(files, path) {
    const { header, bytes } = await openNpy(files, path, "integers of shape (N,)", ({ type, shape }) => {
      if (shape.length === 1 && !isFloat(type)) return;
      throw new DataError(
        `${path} holds ${type} of shape (${shape.join(", ")}), and labels are one whole number an image`,
        "Save them as integers of shape (N,).",
      );
    });
    const { type, width, begin, shape } = header;
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
});

function checkedLabel(label: number, path: string): number {
  if (label >= 0 && label <= 2 ** 31 - 1) return label;
  throw new DataError(`${path} holds the label ${label}`, "Labels count classes from 0.");
}

export const npy = defineDataset({
  name: "npy",
  summary: "Images and labels in .npy files of NumPy.",
  source: "NumPy, A Simple File Format for NumPy Arrays (NEP 1)",
  since: "0.1",
  params: {
    ...arrayParams,
    layout: choice({
      default: "hwc",
      options: {
        hwc: "Channels last: [N, H, W, C], or [N, H, W] with one channel.",
        chw: "Channels first: [N, C, H, W], as PyTorch keeps them.",
      },
      doc: "Order of the axes of the images.",
    }),
    values: choice({
      default: "unit",
      options: {
        unit: "Intensities: bytes 0..255, floats in [0, 1], or false and true.",
        any: "Finite numbers of any type and size, as they are: z-scores, decibels, counts.",
      },
      doc: "What the numbers of the images are.",
    }),
  },
  positional: "images",
  requires: [testLabelsNeedImages],
  open: (p, files, split) => openArrays(p, files, split, readerFor(p.layout, p.values)),
});
