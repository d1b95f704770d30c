/** IDX files, the format of MNIST and Fashion-MNIST. */

import { grouped } from "../counts.js";
import { type ImageShape, imageLength } from "../geometry.js";
import { type ArrayReader, arrayParams, openArrays, testLabelsNeedImages } from "./arrays.js";
import { DataError, defineDataset } from "./contract.js";

const elementTypes: Readonly<Record<number, string>> = {
  8: "unsigned bytes",
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "32-bit floats",
  14: "64-bit floats",
};

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Header: two zero bytes, element type, number of axes, then each axis as a big-endian 32-bit number. */
function readShape(bytes: Uint8Array, path: string): readonly number[] {
  const [zero, zeroToo, type = 0, axes = 0] = bytes;
  if (bytes.length < 4 || zero !== 0 || zeroToo !== 0 || !(type in elementTypes) || axes === 0) {
    throw new DataError(
      `${path} is not an IDX file: it begins with ${bytes.length === 0 ? "nothing" : hex(bytes.subarray(0, 4))}`,
      "An IDX file begins with 00 00, a type and a number of axes; check the path.",
    );
  }
  if (type !== 8) {
    throw new DataError(
      `${path} holds ${elementTypes[type]}`,
      "Images and labels are read from unsigned bytes (type 08).",
    );
  }
  if (bytes.length < 4 + 4 * axes) {
    throw new DataError(
      `${path} is cut short in its header: ${4 + 4 * axes} bytes expected, ${bytes.length} found`,
      "Fetch or copy it again.",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
}

function readIdx(bytes: Uint8Array, path: string): IdxArray {
  const shape = readShape(bytes, path);
  const header = 4 + 4 * shape.length;
  const expected = header + shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== expected) {
    throw new DataError(
      `${path} is ${bytes.length < expected ? "cut short" : "too long"}: its header says ${shape.join(" x ")}, ` +
        `which is ${grouped(expected)} bytes, and it has ${grouped(bytes.length)}`,
      "Fetch or copy it again.",
    );
  }
  return { shape, data: bytes.subarray(header) };
}

const reader: ArrayReader = {
  images(bytes, path) {
    const { shape, data } = readIdx(bytes, path);
    const [count = 0, height = 0, width = 0, channels = 1] = shape;
    if (shape.length < 3 || shape.length > 4) {
      throw new DataError(
        `${path} has ${shape.length} ${shape.length === 1 ? "axis" : "axes"}, and images have 3 or 4`,
        shape.length === 1
          ? "It looks like a label file; name it in labels."
          : "Axes are images, height, width, channels.",
      );
    }
    const one: ImageShape = { height, width, channels };
    const length = imageLength(one);
    return {
      count,
      shape: one,
      image: (i) => data.subarray(i * length, (i + 1) * length),
    };
  },
  labels(bytes, path) {
    const { shape, data } = readIdx(bytes, path);
    if (shape.length !== 1) {
      throw new DataError(
        `${path} has ${shape.length} axes, and labels have 1`,
        "It looks like an image file; name it in images.",
      );
    }
    return Int32Array.from(data);
  },
};

export const idx = defineDataset({
  name: "idx",
  summary: "Images and labels in IDX files, the format of MNIST and Fashion-MNIST.",
  source: "LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits, 1998",
  since: "0.1",
  params: arrayParams,
  positional: "images",
  requires: [testLabelsNeedImages],
  open: (p, files, split) => openArrays(p, files, split, reader),
});
