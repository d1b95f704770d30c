/**
 * Volumes in NIfTI files, versions 1 and 2, in both byte orders, plain or compressed by gzip: the header says what the numbers are and how the
 * grid lies in the body. Of a plain file a box is read; a compressed one is unpacked up to the end of the box, and no further.
 */

import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { reasonOf } from "../../run-error.js";
import {
  BrokenVolume,
  checkHeld,
  type Directions,
  type Stored,
  type Triple,
  triple,
  turned,
  type Volume,
} from "./volume.js";

/** Bytes of the headers of both versions. */
const [firstBytes, secondBytes] = [348, 540];

interface Numbers {
  readonly bytes: number;
  readonly read: (view: DataView, at: number, little: boolean) => number;
}

/** By the code of the format. */
const numbers: Readonly<Record<number, Numbers>> = {
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  4: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  8: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  16: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  64: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  256: { bytes: 1, read: (view, at) => view.getInt8(at) },
  512: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  768: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  1024: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  1280: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};

const otherNumbers: Readonly<Record<number, string>> = {
  1: "single bits",
  32: "complex numbers",
  128: "colours",
  1536: "numbers of 128 bits",
  1792: "complex numbers",
  2304: "colours",
};

interface Header {
  readonly little: boolean;
  readonly size: Triple;
  readonly channels: number;
  readonly numbers: Numbers;
  /** Byte where the voxels begin. */
  readonly begin: number;
  readonly slope: number;
  readonly intercept: number;
  readonly directions: Directions;
}

/** Bytes from one place up to another, in order: of a compressed file, an earlier place is reached from its beginning. */
type Bytes = (from: number, to: number) => Promise<Uint8Array>;

/** Reads the header. Throws `BrokenVolume`. */
export async function openNifti(plain: PlainFile): Promise<Volume> {
  const packed = await isPacked(plain);
  const bytes: Bytes = packed ? unpacked(plain) : (from, to) => readBytes(plain.file, from, to - from);
  if (plain.size === 0) throw new BrokenVolume("it is empty");
  const beginning = viewOf(await bytes(0, packed ? firstBytes : Math.min(firstBytes, plain.size)));
  const isSecond =
    beginning.byteLength >= 4 && [true, false].some((little) => beginning.getInt32(0, little) === secondBytes);
  const rest = isSecond ? await bytes(0, packed ? secondBytes : Math.min(secondBytes, plain.size)) : null;
  const header = headerOf(rest === null ? beginning : viewOf(rest));
  const { size, channels, begin } = header;
  const end = begin + size[0] * size[1] * size[2] * channels * header.numbers.bytes;
  if (!Number.isSafeInteger(end)) throw new BrokenVolume(`it says that it has ${size.join("x")} voxels`);
  if (!packed && plain.size < end) {
    throw new BrokenVolume(`it is cut off: ${grouped(end)} bytes are said to be there, and ${grouped(plain.size)} are`);
  }
  return turned(storedIn(bytes, header, packed), header.directions);
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

async function isPacked({ file, size }: PlainFile): Promise<boolean> {
  const [first, second] = size < 2 ? [] : await readBytes(file, 0, 2);
  return first === 0x1f && second === 0x8b;
}

/** Bytes that are unpacked at once. */
const pieceBytes = 2 ** 18;

async function* piecesOf({ file, size }: PlainFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += pieceBytes) yield readBytes(file, at, Math.min(pieceBytes, size - at));
}

function unpacked(plain: PlainFile): Bytes {
  return async (from, to) => {
    const result = new Uint8Array(to - from);
    let at = 0;
    const source = Readable.from(piecesOf(plain));
    const gunzip = createGunzip();
    source.on("error", (error) => gunzip.destroy(error));
    try {
      for await (const piece of source.pipe(gunzip)) {
        const bytes = piece as Uint8Array;
        const [begin, end] = [Math.max(0, from - at), Math.min(bytes.length, to - at)];
        if (begin < end) result.set(bytes.subarray(begin, end), at + begin - from);
        at += bytes.length;
        if (at >= to) break;
      }
    } catch (error) {
      throw new BrokenVolume(`it cannot be unpacked: ${reasonOf(error)}`);
    } finally {
      source.destroy();
      gunzip.destroy();
    }
    if (at < to)
      throw new BrokenVolume(`it is cut off: it unpacks to ${grouped(at)} bytes, and ${grouped(to)} are needed`);
    return result;
  };
}

function headerOf(view: DataView): Header {
  if (view.byteLength < firstBytes) throw new BrokenVolume("it is no NIfTI file, or cut off in its header");
  const little = [firstBytes, secondBytes].includes(view.getInt32(0, true));
  const version = view.getInt32(0, little) === secondBytes ? 2 : 1;
  const text = (at: number): string => Buffer.from(view.buffer, view.byteOffset + at, 3).toString("latin1");
  const magic = text(version === 2 ? 4 : 344);
  if (view.getInt32(0, little) !== firstBytes && version === 1) throw new BrokenVolume("it is no NIfTI file");
  if (version === 2 && view.byteLength < secondBytes) throw new BrokenVolume("it is cut off in its header");
  if (magic !== `n+${version}`) {
    const pair =
      magic === `ni${version}` ? "its voxels lie in a file of their own (.img)" : "it is an Analyze file, or damaged";
    throw new BrokenVolume(`${pair}; save it as one NIfTI file`);
  }
  return version === 1 ? readHeader(view, little, first) : readHeader(view, little, second);
}

/** Where the fields of a version stand, and how they are stored. */
interface Layout {
  readonly whole: (view: DataView, at: number, little: boolean) => number;
  readonly real: (view: DataView, at: number, little: boolean) => number;
  readonly code: (view: DataView, at: number, little: boolean) => number;
  readonly widths: { readonly whole: number; readonly real: number };
  readonly at: Readonly<
    Record<"dim" | "type" | "pixdim" | "begin" | "slope" | "units" | "qform" | "sform" | "quatern" | "rows", number>
  >;
}

const first: Layout = {
  whole: (view, at, little) => view.getInt16(at, little),
  real: (view, at, little) => view.getFloat32(at, little),
  code: (view, at, little) => view.getInt16(at, little),
  widths: { whole: 2, real: 4 },
  at: {
    dim: 40,
    type: 70,
    pixdim: 76,
    begin: 108,
    slope: 112,
    units: 123,
    qform: 252,
    sform: 254,
    quatern: 256,
    rows: 280,
  },
};

const second: Layout = {
  whole: (view, at, little) => Number(view.getBigInt64(at, little)),
  real: (view, at, little) => view.getFloat64(at, little),
  code: (view, at, little) => view.getInt32(at, little),
  widths: { whole: 8, real: 8 },
  at: {
    dim: 16,
    type: 12,
    pixdim: 104,
    begin: 168,
    slope: 176,
    units: 500,
    qform: 344,
    sform: 348,
    quatern: 352,
    rows: 400,
  },
};

function readHeader(view: DataView, little: boolean, layout: Layout): Header {
  const { at, widths } = layout;
  const whole = (field: number, i = 0): number => layout.whole(view, field + i * widths.whole, little);
  const real = (field: number, i = 0): number => layout.real(view, field + i * widths.real, little);
  const count = whole(at.dim);
  const sizes = Array.from({ length: 7 }, (_, i) => (i < count ? whole(at.dim, i + 1) : 1));
  if (count < 3 || count > 7 || !sizes.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new BrokenVolume(
      `it has ${count} axes of ${sizes.slice(0, Math.max(0, Math.min(7, count))).join("x")}, and a volume has three`,
    );
  }
  const code = view.getInt16(at.type, little);
  const stored = numbers[code];
  if (!stored) throw new BrokenVolume(`it holds ${otherNumbers[code] ?? `numbers of an unknown kind (${code})`}`);
  const begin = widths.whole === 2 ? real(at.begin) : whole(at.begin);
  if (!Number.isSafeInteger(begin) || begin < firstBytes)
    throw new BrokenVolume(`it says that its voxels begin at byte ${begin}`);
  const [slope, intercept] = [real(at.slope), real(at.slope, 1)];
  const isScaled = Number.isFinite(slope) && slope !== 0 && Number.isFinite(intercept);
  return {
    little,
    size: [sizes[0] as number, sizes[1] as number, sizes[2] as number],
    channels: sizes.slice(3).reduce((product, size) => product * size, 1),
    numbers: stored,
    begin,
    slope: isScaled ? slope : 1,
    intercept: isScaled ? intercept : 0,
    directions: directionsOf(view, little, layout),
  };
}

/** Millimetres of the units of length: metres, millimetres, thousandths. */
const millimetres: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 };

/** By the matrix, by the quaternion, or by the spacing alone: the first that the file says, as nibabel has it. NIfTI counts to the right and to the front. */
function directionsOf(view: DataView, little: boolean, layout: Layout): Directions {
  const { at, widths } = layout;
  const real = (field: number, i = 0): number => layout.real(view, field + i * widths.real, little);
  const unit = millimetres[view.getUint8(at.units + (widths.whole === 8 && !little ? 3 : 0)) & 7] ?? 1;
  const spacing = triple((i) => Math.abs(real(at.pixdim, i + 1)));
  const column = (right: number, front: number, head: number): Triple => [-right * unit, -front * unit, head * unit];
  if (layout.code(view, at.sform, little) > 0) {
    const part = (row: number, i: number): number => real(at.rows, row * 4 + i);
    return [0, 1, 2].map((i) => column(part(0, i), part(1, i), part(2, i))) as unknown as Directions;
  }
  if (layout.code(view, at.qform, little) <= 0) {
    return [column(-spacing[0], 0, 0), column(0, spacing[1], 0), column(0, 0, spacing[2])];
  }
  const [b, c, d] = [real(at.quatern), real(at.quatern, 1), real(at.quatern, 2)];
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  const handed = real(at.pixdim) < 0 ? -1 : 1;
  const turn = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ] as const;
  return [0, 1, 2].map((i) => {
    const scale = (spacing[i] as number) * (i === 2 ? handed : 1);
    return column((turn[0][i] as number) * scale, (turn[1][i] as number) * scale, (turn[2][i] as number) * scale);
  }) as unknown as Directions;
}

/** Channels lie one after another, each a volume of its own. */
function storedIn(
  bytes: Bytes,
  { size, channels, numbers, little, begin, slope, intercept }: Header,
  packed: boolean,
): Stored {
  const [columns, rows, slices] = size;
  const width = numbers.bytes;
  return {
    size,
    channels,
    async read(from, to) {
      const box = triple((a) => to[a] - from[a]);
      checkHeld(box, channels);
      const result = new Float32Array(box[0] * box[1] * box[2] * channels);
      for (let c = 0; c < channels; c++) {
        const first = c * slices + from[2];
        // A compressed file is gone through once for each channel, a plain one is read slice by slice.
        const perRead = packed ? box[2] : 1;
        for (let z = 0; z < box[2]; z += perRead) {
          const start = begin + ((first + z) * rows + from[1]) * columns * width;
          const end = begin + ((first + z + perRead - 1) * rows + to[1]) * columns * width;
          checkHeld([1, 1, Math.ceil((end - start) / 4)], 1);
          const data = await bytes(start, end);
          const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
          for (let k = 0; k < perRead; k++) {
            for (let y = 0; y < box[1]; y++) {
              for (let x = 0; x < box[0]; x++) {
                const stored = numbers.read(view, ((k * rows + y) * columns + from[0] + x) * width, little);
                result[(((z + k) * box[1] + y) * box[0] + x) * channels + c] = stored * slope + intercept;
              }
            }
          }
        }
      }
      return result;
    },
  };
}
