/** Reads NumPy's .npy format, versions 1 to 3: little-endian arrays in C order. */

import { halfToNumber } from "../half.js";
import { grouped } from "../wording.js";
import { DataError, type SizedHeader } from "./contract.js";

const elements = {
  "|b1": Uint8Array,
  "|u1": Uint8Array,
  "|i1": Int8Array,
  "<u2": Uint16Array,
  "<i2": Int16Array,
  "<u4": Uint32Array,
  "<i4": Int32Array,
  "<u8": BigUint64Array,
  "<i8": BigInt64Array,
  "<f2": Uint16Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

export type NpyType = keyof typeof elements;

/** Half floats come widened. */
export type NpyValues = InstanceType<(typeof elements)[NpyType]> | Float32Array;

export interface NpyHeader extends SizedHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly begin: number;
  /** Bytes of one element. */
  readonly width: number;
}

export interface NpyArray extends Pick<NpyHeader, "type" | "shape"> {
  readonly data: NpyValues;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself reads none that is longer, unless told to. */
const longestHeader = 10_000;
/** Longest text of a file that a message repeats. */
const shown = 60;

const savedAgain = "Save it again with numpy.save.";

/** The Python dictionary that describes the array, and where the data begins. */
function headerText(bytes: Uint8Array, path: string): { readonly text: string; readonly begin: number } {
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
  const [start, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const begin = start + length;
  if (length > longestHeader) {
    throw new DataError(`${path} says that its header has ${grouped(length)} bytes`, savedAgain);
  }
  if (begin > bytes.length) {
    throw new DataError(
      `${path} is cut short in its header: ${grouped(begin)} bytes expected, ${grouped(bytes.length)} found`,
      "Save or copy it again.",
    );
  }
  return { text: new TextDecoder().decode(bytes.subarray(start, begin)), begin };
}

function typeOf(header: string, path: string, wanted: string): NpyType {
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (type !== undefined && Object.hasOwn(elements, type)) return type as NpyType;
  const help = type?.startsWith(">")
    ? "It is big-endian; save array.astype(array.dtype.newbyteorder('<'))."
    : `Save it as ${wanted}.`;
  throw new DataError(
    `${path} has elements of type ${type === undefined ? "that is not a plain number" : cut(type)}`,
    help,
  );
}

/** Python 2 writes the long numbers of a shape with an L. */
function shapeOf(header: string, path: string): readonly number[] {
  const inside = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (inside === undefined) throw new DataError(`${path} has a header without a shape`, savedAgain);
  const parts = inside
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (!parts.every((part) => /^\d+L?$/.test(part))) {
    throw new DataError(`${path} has the shape (${cut(inside)}), and shapes are whole numbers`, savedAgain);
  }
  return parts.map((part) => Number(part.replace("L", "")));
}

const cut = (text: string): string => (text.length > shown ? `${text.slice(0, shown)}...` : text);

/**
 * Reads a header.
 * @param beginning of the file: at least the header
 * @param wanted what a help says that the array may be saved as
 * @throws DataError when it is no .npy file, or one of other elements
 */
export function readNpyHeader(beginning: Uint8Array, path: string, wanted: string): NpyHeader {
  const { text, begin } = headerText(beginning, path);
  const type = typeOf(text, path, wanted);
  if (/'fortran_order':\s*True/.test(text)) {
    throw new DataError(`${path} is stored in Fortran order`, "Save numpy.ascontiguousarray(array).");
  }
  const shape = shapeOf(text, path);
  const width = elements[type].BYTES_PER_ELEMENT;
  return { type, shape, begin, width, size: begin + shape.reduce((product, n) => product * n, width) };
}

/** Throws `DataError` when the file does not have the bytes that its header says. */
export function checkNpySize({ type, shape, size }: NpyHeader, found: number, path: string): void {
  if (found === size) return;
  const says = `its header says ${type} (${shape.join(", ")}), which is ${grouped(size)} bytes`;
  throw new DataError(
    found < size
      ? `${path} is cut short: ${says}, and it has ${grouped(found)}`
      : `${path} is too long: ${says}, and more follows`,
    "Save or copy it again.",
  );
}

/** The numbers in some bytes of an array. */
export function npyValues(type: NpyType, bytes: Uint8Array): NpyValues {
  const Elements = elements[type];
  // A view has to begin at a multiple of its element's size; the constructor copies, which `slice` of a Buffer does not.
  const { buffer, byteOffset, length } =
    bytes.byteOffset % Elements.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  const values = new Elements(buffer as ArrayBuffer, byteOffset, length / Elements.BYTES_PER_ELEMENT);
  return type === "<f2" ? Float32Array.from(values as Uint16Array, halfToNumber) : values;
}

/** All of an array. Throws `DataError`, with `wanted` as in `readNpyHeader`. */
export function readNpy(bytes: Uint8Array, path: string, wanted: string): NpyArray {
  const header = readNpyHeader(bytes, path, wanted);
  checkNpySize(header, bytes.length, path);
  return { type: header.type, shape: header.shape, data: npyValues(header.type, bytes.subarray(header.begin)) };
}
