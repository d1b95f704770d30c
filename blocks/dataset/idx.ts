/** IDX files, the format of MNIST and Fashion-MNIST. */

import { arrayLength, arrayOfImage } from "../arrays.js";
import { grouped } from "../wording.js";
import { type ArrayReader, arrayParams, openArrays, testLabelsNeedImages } from "./arrays.js";
import { DataError, defineDataset, type Files, type SizedHeader } from "./contract.js";

const elementTypes: Readonly<Record<number, string>> = {
  8: "unsigned bytes",
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "32-bit floats",
  14: "64-bit floats",
};

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

interface IdxHeader extends SizedHeader {
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly begin: number;
}

/** Header: two zero bytes, element type, number of axes, then each axis as a big-endian 32-bit number. */
function readHeader(bytes: Uint8Array, path: string): IdxHeader {
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
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const begin = 4 + 4 * axes;
  return { shape, begin, size: shape.reduce((product, n) => product * n, 1) + begin };
}

/** Throws `DataError` when the file does not have the bytes that its header says. */
function checkSize({ shape, size }: IdxHeader, found: number, path: string): void {
  if (found === size) return;
  const says = `its header says ${shape.join(" x ")}, which is ${grouped(size)} bytes`;
  throw new DataError(
    found < size
      ? `${path} is cut short: ${says}, and it has ${grouped(found)}`
      : `${path} is too long: ${says}, and more follows`,
    "Fetch or copy it again.",
  );
}

/** Opens a file of which `check` accepts the shape. */
async function openIdx(files: Files, path: string, check: (shape: readonly number[]) => void) {
  const file = await files.open(path, (beginning) => {
    const header = readHeader(beginning, path);
    check(header.shape);
    return header;
  });
  checkSize(file.header, file.size, path);
  return file;
}

const reader: ArrayReader = {
  async arrays(files, path) {
    const { header, bytes } = await openIdx(files, path, ({ length }) => {
      if (length === 3 || length === 4) return;
      throw new DataError(
        `${path} has ${length} ${length === 1 ? "axis" : "axes"}, and images have 3 or 4`,
        length === 1 ? "It looks like a label file; name it in labels." : "Axes are images, height, width, channels.",
      );
    });
    const [count = 0, height = 0, width = 0, channels = 1] = header.shape;
    const shape = arrayOfImage({ height, width, channels });
    const length = arrayLength(shape);
    return {
      count,
      shape,
      array: (i) => bytes(header.begin + i * length, header.begin + (i + 1) * length),
    };
  },
  async labels(files, path) {
    const { header, bytes } = await openIdx(files, path, ({ length }) => {
      if (length === 1) return;
      throw new DataError(
        `${path} has ${length} axes, and labels have 1`,
        "It looks like an image file; name it in images.",
      );
    });
    return Int32Array.from(bytes(header.begin, header.size));
  },
};

export const idx = defineDataset({
  name: "idx",
  summary: "Images and labels in IDX files, the format of MNIST and Fashion-MNIST.",
  source: "LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits, 1998",
  since: "0.1",
  params: arrayParams,
  positional: "images",
  media: ["image"],
  requires: [testLabelsNeedImages],
  open: (p, files, split, { array }) => openArrays(p, files, split, { reader, array }),
});
