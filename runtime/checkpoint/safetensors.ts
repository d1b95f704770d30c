/**
 * The safetensors format, read and written: an 8-byte little-endian header length, a JSON header, raw bytes.
 * Files come from strangers: every number in them is checked against the file before anything is allocated for it.
 * Needs nothing of Node: opening, naming and syncing files is `tensor-file.ts`.
 */

import { halfToNumber } from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import type { Part } from "./whole-file.js";

/** Bytes of one element, by the name of its type in the format. */
export const elementBytes = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, U8: 1, BOOL: 1 } as const;

export type StoredType = keyof typeof elementBytes;

/** What a type is held in; the 16-bit floats are widened to 32 bits. */
export type StoredValues = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** Where a tensor lies; offsets count from the end of the header. */
export interface StoredEntry {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface StoredHeader {
  readonly entries: ReadonlyMap<string, StoredEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Byte of the file at which the tensors' bytes begin. */
  readonly dataStart: number;
}

export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly values: StoredValues;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor to be written; its type in the file is that of its array. */
export interface TensorToStore {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A float32 tensor whose values are asked for when they are written, so that those of all tensors are never held at once. */
export interface TensorToFetch extends Pick<TensorToStore, "name" | "shape"> {
  readonly fetch: () => Promise<Float32Array>;
}

/** The length of a header as its own field of the file. */
export const lengthBytes = 8;
/** Longest header that is read: that of the largest models has a hundredth of it, a recorded spec at most a quarter. */
const longestHeader = 2 ** 24;
/** The outermost object, a tensor's, its shape. JSON that goes deeper is none of this format. */
const deepest = 3;
/** No real tensor has more axes; a file that says so is not to be believed. */
export const mostAxes = 64;
const metadataKey = "__metadata__";

const malformed = (file: string, why: string): RunError =>
  new RunError("run/safetensors", {
    what: `${file} is not a valid safetensors file`,
    why,
    help: "It may be cut off or of another format: copy or download it again, or use an earlier checkpoint.",
  });

/** A name from a file, safe to print: quoted, control characters escaped, cut. */
export const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);

/**
 * The length of the header from the first 8 bytes of a file of `fileBytes` bytes.
 * Throws `run/safetensors` when the file cannot hold it.
 */
export const headerLength = (first: Uint8Array, fileBytes: number, file: string): number => {
  if (first.length < lengthBytes) throw malformed(file, `it has only ${first.length} bytes`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(longestHeader)) {
    throw malformed(file, `its header claims ${length} bytes, and at most ${longestHeader} are read`);
  }
  if (length > BigInt(fileBytes - lengthBytes)) {
    throw malformed(file, `its header claims ${length} bytes and ${fileBytes - lengthBytes} follow`);
  }
  return Number(length);
};

/**
 * Reads and checks a header: types, shapes, sizes, and that the tensors fill the rest of the file exactly,
 * without overlap or gap. `header`: the bytes after the length; `dataBytes`: how many follow it.
 */
export function parseHeader(header: Uint8Array, dataBytes: number, file: string): StoredHeader {
  const fields = readJson(header, file);
  const entries = new Map<string, StoredEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, field] of Object.entries(fields)) {
    if (name === metadataKey) metadata = readMetadata(field, file);
    else entries.set(name, readEntry(name, field, file));
  }
  checkCoverage(entries, dataBytes, file);
  return { entries, metadata, dataStart: lengthBytes + header.length };
}

function readJson(header: Uint8Array, file: string): object {
  // Before parsing, which makes an array in memory of every bracket.
  if (depthOf(header) > deepest) throw malformed(file, `its header nests deeper than ${deepest} levels`);
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(header);
    parsed = JSON.parse(text);
  } catch {
    throw malformed(file, "its header is not JSON");
  }
  if (!isRecord(parsed)) throw malformed(file, "its header is not a JSON object");
  const twice = repeatedKey(text);
  if (twice !== null) throw malformed(file, `${quoted(twice)} occurs twice in its header`);
  return parsed;
}

/** How deep brackets outside of strings nest. In UTF-8 no byte of a longer character looks like one of these. */
function depthOf(json: Uint8Array): number {
  let [depth, most, isText] = [0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === quote) isText = !isText;
    else if (isText) i += byte === backslash ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) most = Math.max(most, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return most;
}

const [quote, backslash] = [0x22, 0x5c];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * A key that occurs twice in the outermost object of valid JSON text; `JSON.parse` would keep the last in silence.
 * A string directly in that object is a key when ":" follows it.
 */
function repeatedKey(json: string): string | null {
  const seen = new Set<string>();
  const colon = /\s*:/y;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === '"') {
      const start = i;
      i = closingQuote(json, start);
      colon.lastIndex = i + 1;
      if (depth !== 1 || !colon.test(json)) continue;
      const key = JSON.parse(json.slice(start, i + 1)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}

/** Index of the quote that ends the string beginning at `start`. */
function closingQuote(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i;
}

function readMetadata(field: unknown, file: string): ReadonlyMap<string, string> {
  if (!isRecord(field)) throw malformed(file, "its metadata is not an object");
  const metadata = new Map<string, string>();
  for (const [key, value] of Object.entries(field)) {
    if (typeof value !== "string") throw malformed(file, `its metadata ${quoted(key)} is not text`);
    metadata.set(key, value);
  }
  return metadata;
}

function readEntry(name: string, field: unknown, file: string): StoredEntry {
  if (!isRecord(field)) throw malformed(file, `${quoted(name)} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = field;
  if (typeof dtype !== "string" || !Object.hasOwn(elementBytes, dtype)) {
    throw malformed(
      file,
      `${quoted(name)} has the type ${quoted(String(dtype))}; ${Object.keys(elementBytes).join(", ")} are read`,
    );
  }
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(isCount)) {
    throw malformed(file, `${quoted(name)} has no valid shape`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw malformed(file, `${quoted(name)} has no valid offsets`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product: number, n: number) => product * n, elementBytes[dtype as StoredType]);
  if (end - begin !== bytes) {
    throw malformed(file, `${quoted(name)} needs ${bytes} bytes by its shape and has ${end - begin}`);
  }
  return { dtype: dtype as StoredType, shape, begin, end };
}

/** The format asks for tensors that follow each other and end with the file; so nothing can overlap or hide. */
function checkCoverage(entries: ReadonlyMap<string, StoredEntry>, dataBytes: number, file: string): void {
  let reached = 0;
  for (const [name, entry] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.end > dataBytes)
      throw malformed(file, `${quoted(name)} ends ${entry.end - dataBytes} bytes after the file`);
    if (entry.begin < reached) throw malformed(file, `${quoted(name)} overlaps another tensor`);
    if (entry.begin > reached)
      throw malformed(file, `${entry.begin - reached} bytes before ${quoted(name)} belong to nothing`);
    reached = entry.end;
  }
  if (reached < dataBytes) throw malformed(file, `${dataBytes - reached} bytes at its end belong to nothing`);
}

/** The values of one tensor from its bytes, which must be alone in their buffer: it becomes the values' own where it can. */
export function decodeTensor(dtype: StoredType, { buffer }: Uint8Array): StoredValues {
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer);
    case "I64":
      return new BigInt64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case "BF16":
      // The upper half of a float32.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case "U8":
    case "BOOL":
      return new Uint8Array(buffer);
  }
}

/** All tensors of a file from its bytes, copied; `file` is what errors call it. Throws `run/safetensors`. */
export function decodeSafetensors(bytes: Uint8Array, file: string): TensorFile {
  const length = headerLength(bytes.subarray(0, lengthBytes), bytes.length, file);
  const end = lengthBytes + length;
  const { entries, metadata, dataStart } = parseHeader(bytes.subarray(lengthBytes, end), bytes.length - end, file);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, begin, end }] of entries) {
    const own = bytes.slice(dataStart + begin, dataStart + end);
    tensors.set(name, { dtype, shape, values: decodeTensor(dtype, own) });
  }
  return { tensors, metadata };
}

const typeOfTensor = (tensor: TensorToStore | TensorToFetch): StoredType =>
  "fetch" in tensor ? "F32" : storedType(tensor.values);

const storedType = (values: TensorToStore["values"]): StoredType => {
  if (values instanceof Float32Array) return "F32";
  if (values instanceof Float64Array) return "F64";
  if (values instanceof Int32Array) return "I32";
  return values instanceof BigInt64Array ? "I64" : "U8";
};

/**
 * The bytes of a file with these tensors, as parts to be written one after the other: the header, then views of the
 * tensors' own memory. Wide elements come first, so that each tensor is aligned to its element in the file.
 */
export function encodeSafetensors(
  tensors: readonly (TensorToStore | TensorToFetch)[],
  metadata: Readonly<Record<string, string>>,
): readonly [header: Uint8Array, ...Part[]] {
  const described = tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.shape,
    dtype: typeOfTensor(tensor),
    tensor,
  }));
  const ordered = described.sort((a, b) => elementBytes[b.dtype] - elementBytes[a.dtype]);
  return [safetensorsHeader(ordered, metadata), ...ordered.map(({ tensor }) => partOf(tensor))];
}

function partOf(tensor: TensorToStore | TensorToFetch): Part {
  const bytesOf = ({ buffer, byteOffset, byteLength }: TensorToStore["values"]): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return "fetch" in tensor ? async () => bytesOf(await tensor.fetch()) : bytesOf(tensor.values);
}

/** The first bytes of a file, behind which the bytes of these tensors follow in their order, the widest elements first. */
export function safetensorsHeader(
  tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: StoredType }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const fields: [string, unknown][] = [[metadataKey, metadata]];
  let offset = 0;
  for (const { name, shape, dtype } of tensors) {
    const end = offset + elementBytes[dtype] * sizeOf(shape);
    fields.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  return encodeHeader(JSON.stringify(Object.fromEntries(fields)));
}

/** Length and text, filled up with spaces so that the data starts at a multiple of 8. */
function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, lengthBytes);
  return header;
}
