/** Images and labels saved by NumPy. */

import { type ImageShape, imageLength } from "../geometry.js";
import { choice } from "../params.js";
import { type ArrayReader, arrayParams, openArrays, testLabelsNeedImages } from "./arrays.js";
import { DataError, defineDataset } from "./contract.js";
import { type NpyArray, readNpy } from "./npy-file.js";

type Layout = "hwc" | "chw";

/** Bytes as they are; floats in single precision, checked to lie in [0, 1]. */
function pixelsOf({ type, data }: NpyArray, path: string): Uint8Array | Float32Array {
  if (data instanceof Uint8Array) return data;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new DataError(`${path} holds images of type ${type}`, "Save them as uint8 (0..255), or as floats in [0, 1].");
  }
  const outside = data.find((value) => !(value >= 0 && value <= 1));
  if (outside !== undefined) {
    throw new DataError(
      `${path} holds a pixel of ${outside}, and float pixels lie in [0, 1]`,
      "Divide by the largest value, or save as uint8 (0..255).",
    );
  }
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

function shapeOf({ shape }: NpyArray, layout: Layout, path: string): ImageShape {
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

const readerFor = (layout: Layout): ArrayReader => ({
  images(bytes, path) {
    const array = readNpy(bytes, path);
    const shape = shapeOf(array, layout, path);
    const pixels = pixelsOf(array, path);
    const length = imageLength(shape);
    const one = (i: number) => pixels.subarray(i * length, (i + 1) * length);
    const planar = layout === "chw" && shape.channels > 1;
    return { count: array.shape[0] as number, shape, image: planar ? (i) => channelsLast(one(i), shape) : one };
  },
  labels(bytes, path) {
    const { type, shape, data } = readNpy(bytes, path);
    if (shape.length !== 1 || type.includes("f")) {
      throw new DataError(
        `${path} holds ${type} of shape (${shape.join(", ")}), and labels are one whole number an image`,
        "Save them as integers of shape (N,).",
      );
    }
    const labels = Float64Array.from(data as ArrayLike<number | bigint> & Iterable<number | bigint>, Number);
    const wrong = labels.find((label) => label < 0 || label > 2 ** 31 - 1);
    if (wrong !== undefined) throw new DataError(`${path} holds the label ${wrong}`, "Labels count classes from 0.");
    return Int32Array.from(labels);
  },
});

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
  },
  positional: "images",
  requires: [testLabelsNeedImages],
  open: (p, files, split) => openArrays(p, files, split, readerFor(p.layout)),
});
