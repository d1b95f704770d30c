/**
 * Volumes of DICOM series: a folder with a file for each slice, put in order by where they lie. Slices of several sizes, slices that are missing
 * or double, and packed pixels are refused in words. Of the files, headers are read first, and of pixels those slices that are wanted.
 */

import { join } from "node:path";
import type { DataSet, Element } from "dicom-parser";
import { counted, grouped } from "../../../blocks/index.js";
import { openPlainFile, readBytes } from "../../plain-file.js";
import { RunError, reasonOf } from "../../run-error.js";
import { BrokenVolume, type Directions, type Triple, triple, turned, type Volume } from "./volume.js";

/** Headers are shorter, and a file whose header is not is read to its end. */
const usualHeader = 2 ** 16;
const largestFile = 2 ** 28;
const mostSlices = 8192;
/** Share of the distance of two slices by which it may differ from the usual one, and by which one may lie beside the other. */
const gapTolerance = 0.02;

const plainSyntaxes: Readonly<Record<string, { readonly little: boolean }>> = {
  "1.2.840.10008.1.2": { little: true },
  "1.2.840.10008.1.2.1": { little: true },
  "1.2.840.10008.1.2.2": { little: false },
};
const packedSyntaxes: readonly (readonly [beginning: string, name: string])[] = [
  ["1.2.840.10008.1.2.1.99", "by deflate"],
  ["1.2.840.10008.1.2.5", "as RLE"],
  ["1.2.840.10008.1.2.4.50", "as JPEG"],
  ["1.2.840.10008.1.2.4.51", "as JPEG"],
  ["1.2.840.10008.1.2.4.57", "as lossless JPEG"],
  ["1.2.840.10008.1.2.4.70", "as lossless JPEG"],
  ["1.2.840.10008.1.2.4.8", "as JPEG-LS"],
  ["1.2.840.10008.1.2.4.9", "as JPEG 2000"],
];

interface Slice {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly bits: 8 | 16 | 32;
  readonly signed: boolean;
  readonly little: boolean;
  readonly slope: number;
  readonly intercept: number;
  /** Byte where the pixels begin. */
  readonly begin: number;
  /** Of the file's axes, where columns and rows lead, to the left, to the back and to the head. */
  readonly across: Triple;
  readonly down: Triple;
  /** Where its first pixel lies, and millimetres from a row, and from a column, to the next. */
  readonly place: Triple;
  readonly spacing: readonly [number, number];
  readonly series: string;
}

/** Reads the headers of all slices. Throws `BrokenVolume`. */
export async function openSeries(folder: string, names: readonly string[]): Promise<Volume> {
  if (names.length > mostSlices)
    throw new BrokenVolume(`it has ${counted(names.length, "file")}, and at most ${grouped(mostSlices)} are read`);
  const slices: Slice[] = [];
  for (const name of names) slices.push(await readSlice(folder, name));
  const [first] = slices as [Slice];
  for (const slice of slices) checkAlike(first, slice);
  const normal = cross(first.across, first.down);
  const along = ({ place }: Slice): number => dot(normal, place);
  slices.sort((a, b) => along(a) - along(b));
  const distance = distanceOf(slices, slices.map(along));
  checkAbove(slices, normal);
  const scaled = (direction: Triple, by: number): Triple => triple((a) => direction[a] * by);
  const directions: Directions = [
    scaled(first.across, first.spacing[1]),
    scaled(first.down, first.spacing[0]),
    scaled(normal, distance),
  ];
  const size = [first.columns, first.rows, slices.length] as const;
  return turned({ size, channels: 1, read: (from, to) => readPixels(folder, slices, from, to) }, directions);
}

const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Triple, b: Triple): Triple => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

function checkAlike(first: Slice, slice: Slice): void {
  const differs = (what: string, own: string, other: string): BrokenVolume =>
    new BrokenVolume(
      `${slice.name} has ${what} ${own}, and ${first.name} has ${other}; put each series into a folder of its own`,
    );
  const sizes = [slice, first].map(({ rows, columns }) => `${rows}x${columns}`) as [string, string];
  if (sizes[0] !== sizes[1]) throw differs("the size", ...sizes);
  if (slice.series !== first.series) throw differs("the series", slice.series, first.series);
  const turn = Math.min(dot(slice.across, first.across), dot(slice.down, first.down));
  const spacing = slice.spacing.some((own, i) => Math.abs(own - (first.spacing[i] as number)) > 1e-3 * own);
  if (turn < 0.9999) throw differs("the orientation", slice.across.join(", "), first.across.join(", "));
  if (spacing) throw differs("the spacing", slice.spacing.join(", "), first.spacing.join(", "));
}

/** From a slice to the next, the same for all. */
function distanceOf(slices: readonly Slice[], places: readonly number[]): number {
  const steps = places.slice(1).map((place, i) => place - (places[i] as number));
  if (steps.length === 0) throw new BrokenVolume("it is a single slice, and a volume has several");
  const usual = [...steps].sort((a, b) => a - b)[Math.floor((steps.length - 1) / 2)] as number;
  const odd = steps.findIndex((step) => Math.abs(step - usual) > gapTolerance * usual || step <= 0);
  if (odd < 0) return usual;
  const [a, b] = [slices[odd]?.name, slices[odd + 1]?.name];
  const step = (steps[odd] as number).toFixed(2);
  if (Number(step) <= 0.01 * usual)
    throw new BrokenVolume(`${a} and ${b} lie at the same place; put each series into a folder of its own`);
  throw new BrokenVolume(
    `slices are missing: ${step} mm lie between ${a} and ${b}, and ${usual.toFixed(2)} mm between others`,
  );
}

/** Throws `BrokenVolume` for slices that are moved sideways against each other. */
function checkAbove(slices: readonly Slice[], normal: Triple): void {
  for (const [i, { name, place }] of slices.slice(1).entries()) {
    const before = slices[i] as Slice;
    const step = triple((a) => place[a] - before.place[a]);
    const up = dot(step, normal);
    const moved = Math.hypot(...step.map((part, a) => part - up * (normal[a] as number)));
    if (moved <= gapTolerance * up) continue;
    throw new BrokenVolume(
      `${name} lies ${moved.toFixed(2)} mm beside ${before.name} and not above it, as of a scan with a tilted gantry`,
    );
  }
}

async function readSlice(folder: string, name: string): Promise<Slice> {
  const parseDicom = await loadParser();
  const opened = await open(folder, name);
  try {
    const { file, size } = opened;
    if (size > largestFile) throw new BrokenVolume(`${name} is larger than 256 MiB`);
    const parse = async (length: number): Promise<DataSet | null> => {
      const bytes = await readBytes(file, 0, length);
      try {
        return parseDicom(bytes, { untilTag: "x7fe00010", inflater: refuseDeflated });
      } catch (error) {
        if (length < size && !(error instanceof BrokenVolume)) return null;
        throw error instanceof BrokenVolume
          ? error
          : new BrokenVolume(`${name} is no DICOM file, or damaged: ${complaintOf(error)}`);
      }
    };
    const short = await parse(Math.min(usualHeader, size));
    const set = short?.elements.x7fe00010 ? short : ((await parse(size)) as DataSet);
    return sliceOf(set, name, size);
  } finally {
    await opened.file.close();
  }
}

type Parser = typeof import("dicom-parser");

/** Bundled, the module has its functions as a whole alone. */
async function loadParser(): Promise<Parser["parseDicom"]> {
  const loaded: Parser & { readonly default?: Parser } = await import("dicom-parser");
  return (loaded.default ?? loaded).parseDicom;
}

/** The parser throws texts, and objects with one. */
const complaintOf = (error: unknown): string =>
  typeof error === "string" ? error : ((error as { exception?: string }).exception ?? reasonOf(error));

/** What is packed as a whole unpacks to any size. */
const refuseDeflated = (): never => {
  throw new BrokenVolume("its files are packed by deflate; unpack them, as `dcmconv +te` does");
};

async function open(folder: string, name: string) {
  try {
    return await openPlainFile(join(folder, name), name);
  } catch (error) {
    throw new BrokenVolume(error instanceof RunError ? error.what : `${name} cannot be read: ${reasonOf(error)}`);
  }
}

function sliceOf(set: DataSet, name: string, size: number): Slice {
  const pixels: Element | undefined = set.elements.x7fe00010;
  if (!pixels) throw new BrokenVolume(`${name} holds no picture`);
  const syntax = set.string("x00020010") ?? "1.2.840.10008.1.2";
  const plain = plainSyntaxes[syntax];
  if (!plain) {
    const how = packedSyntaxes.find(([beginning]) => syntax.startsWith(beginning))?.[1] ?? `as ${syntax}`;
    throw new BrokenVolume(`${name} is packed ${how}; unpack the files, as \`gdcmconv --raw in.dcm out.dcm\` does`);
  }
  const number = (tag: string): number | undefined => set.uint16(tag);
  const [rows, columns] = [number("x00280010") ?? 0, number("x00280011") ?? 0];
  const bits = number("x00280100") ?? 0;
  if (rows === 0 || columns === 0 || (bits !== 8 && bits !== 16 && bits !== 32)) {
    throw new BrokenVolume(`${name} says that it is ${rows}x${columns} of ${bits} bits`);
  }
  const colours = set.string("x00280004") ?? "MONOCHROME2";
  if ((number("x00280002") ?? 1) !== 1 || colours !== "MONOCHROME2") {
    throw new BrokenVolume(`${name} holds pictures of the kind ${colours}, and MONOCHROME2 is read`);
  }
  if (Number(set.string("x00280008") ?? 1) > 1) {
    throw new BrokenVolume(`${name} holds several slices; save each as a file, or all as NIfTI, as \`dcm2niix\` does`);
  }
  if (pixels.dataOffset + (rows * columns * bits) / 8 > size)
    throw new BrokenVolume(`${name} is cut off in its pixels`);
  const reals = (tag: string, count: number, what: string): readonly number[] => {
    const values = Array.from({ length: count }, (_, i) => set.floatString(tag, i));
    if (values.every((value) => value !== undefined && Number.isFinite(value))) return values as number[];
    throw new BrokenVolume(`${name} does not say ${what}`);
  };
  const turn = reals("x00200037", 6, "how it lies in the body (0020,0037)") as readonly number[];
  return {
    name,
    rows,
    columns,
    bits,
    signed: number("x00280103") === 1,
    little: plain.little,
    slope: set.floatString("x00281053") ?? 1,
    intercept: set.floatString("x00281052") ?? 0,
    begin: pixels.dataOffset,
    across: triple((a) => turn[a] as number),
    down: triple((a) => turn[a + 3] as number),
    place: reals("x00200032", 3, "where it lies (0020,0032)") as unknown as Triple,
    spacing: reals("x00280030", 2, "how large its pixels are (0028,0030)") as unknown as readonly [number, number],
    series: set.string("x0020000e") ?? "",
  };
}

/** [slice, row, column] of a box, columns first in `from` and `to`. */
async function readPixels(folder: string, slices: readonly Slice[], from: Triple, to: Triple): Promise<Float32Array> {
  const [columns, rows] = [to[0] - from[0], to[1] - from[1]];
  const result = new Float32Array(columns * rows * (to[2] - from[2]));
  let out = 0;
  for (const slice of slices.slice(from[2], to[2])) {
    const { bits, signed, little, slope, intercept } = slice;
    const width = bits / 8;
    const { file } = await open(folder, slice.name);
    try {
      const start = slice.begin + from[1] * slice.columns * width;
      const bytes = await readBytes(file, start, rows * slice.columns * width);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const read = readers[`${signed ? "int" : "uint"}${bits}`];
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          result[out++] = read(view, (y * slice.columns + from[0] + x) * width, little) * slope + intercept;
        }
      }
    } finally {
      await file.close();
    }
  }
  return result;
}

const readers: Readonly<
  Record<`${"int" | "uint"}${8 | 16 | 32}`, (view: DataView, at: number, little: boolean) => number>
> = {
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at, little) => view.getInt16(at, little),
  uint16: (view, at, little) => view.getUint16(at, little),
  int32: (view, at, little) => view.getInt32(at, little),
  uint32: (view, at, little) => view.getUint32(at, little),
};
