/** Reads NumPy's .npy format, versions 1 to 3: little-endian arrays in C order. */

import { grouped } from "../counts.js";
import { DataError } from "./contract.js";

const elements = {
  "|u1": Uint8Array,
  "|i1": Int8Array,
  "<u2": Uint16Array,
  "<i2": Int16Array,
  "<u4": Uint32Array,
  "<i4": Int32Array,
  "<u8": BigUint64Array,
  "<i8": BigInt64Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

export type NpyType = keyof typeof elements;

export interface NpyArray {
  readonly type: NpyType;
  readonly shape: readonly number[];
  readonly data: InstanceType<(typeof elements)[NpyType]>;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

interface Header {
  /** The Python dictionary that describes the array. */
  readonly text: string;
  /** Where the data begins. */
  readonly end: number;
}

function readHeader(bytes: Uint8Array, path: string): Header {
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new DataError(`${path} is not an .npy file`, "Save the array with numpy.save; an .npz archive is not read.");
  }
  const version = bytes[6] as number;
  if (version < 1 || version > 3) {
    throw new DataError(
      `${path} has .npy version ${version}`,
      "Versions 1 to 3 are read; save it again with numpy.save.",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [begin, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const end = begin + length;
  if (end > bytes.length) {
    throw new DataError(
      `${path} is cut short in its header: ${grouped(end)} bytes expected, ${grouped(bytes.length)} found`,
      "Save or copy it again.",
    );
  }
  return { text: new TextDecoder().decode(bytes.subarray(begin, end)), end };
}

function typeOf(header: string, path: string): NpyType {
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (type !== undefined && type in elements) return type as NpyType;
  const help = type?.startsWith(">")
    ? "It is big-endian; save array.astype(array.dtype.newbyteorder('<'))."
    : `Save it as one of ${Object.keys(elements).join(", ")}.`;
  throw new DataError(`${path} has elements of type ${type ?? "that is not a plain number"}`, help);
}

function shapeOf(header: string, path: string): readonly number[] {
  const inside = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (inside === undefined) {
    throw new DataError(`${path} has a header without a shape`, "Save it again with numpy.save.");
  }
  return inside
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
}

export function readNpy(bytes: Uint8Array, path: string): NpyArray {
  const { text, end } = readHeader(bytes, path);
  const type = typeOf(text, path);
  if (/'fortran_order':\s*True/.test(text)) {
    throw new DataError(`${path} is stored in Fortran order`, "Save numpy.ascontiguousarray(array).");
  }
  const shape = shapeOf(text, path);
  const Elements = elements[type];
  const count = shape.reduce((product, n) => product * n, 1);
  const expected = end + count * Elements.BYTES_PER_ELEMENT;
  if (bytes.length !== expected) {
    throw new DataError(
      `${path} is ${bytes.length < expected ? "cut short" : "too long"}: its header says ${type} (${shape.join(", ")}), ` +
        `which is ${grouped(expected)} bytes, and it has ${grouped(bytes.length)}`,
      "Save or copy it again.",
    );
  }
  // A view has to begin at a multiple of its element's size; the constructor copies, which `slice` of a Buffer does not.
  const aligned = (bytes.byteOffset + end) % Elements.BYTES_PER_ELEMENT === 0;
  const body = aligned ? bytes.subarray(end) : new Uint8Array(bytes.subarray(end));
  return { type, shape, data: new Elements(body.buffer as ArrayBuffer, body.byteOffset, count) };
}
