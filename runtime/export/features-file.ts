/**
 * Features of images as a file: `.npz` for NumPy, `.safetensors`, or `.csv`. Rows are kept on the disk until all are there, so that memory
 * holds one batch of them, whatever their number. The file gets its name when it is whole.
 */

import { type FileHandle, rename, rm } from "node:fs/promises";
import { type Label, labelFlags } from "../../blocks/index.js";
import { safetensorsHeader } from "../checkpoint/safetensors.js";
import { makeFile, partialSuffix, unwritable } from "../checkpoint/whole-file.js";
import { RunError } from "../run-error.js";
import { npyHeader, npyText, writeNpz } from "./npz.js";

/** Features of a batch of images. */
export interface FeatureRows {
  /** [samples, width] */
  readonly values: Float32Array;
  /** Indices in the data set. */
  readonly samples: Int32Array;
}

/** What is known of a sample beside its features. */
export interface SampleFacts {
  /** Of the image file; "": it comes from a file with many. */
  readonly path: string;
  /** null: none. */
  readonly label: Label | null;
}

export interface FeaturesToStore {
  readonly width: number;
  readonly rows: AsyncIterable<FeatureRows>;
  readonly factsOf: (sample: number) => SampleFacts;
  /** Names by label. */
  readonly classes: readonly string[];
  /** Whether a sample may have several. */
  readonly several: boolean;
  /** What a reader should know, as text. */
  readonly metadata: Readonly<Record<string, string>>;
}

export const featureFormats = ["npz", "safetensors", "csv"] as const;
export type FeatureFormat = (typeof featureFormats)[number];

const room = "Free some space and begin again; what was there before is intact.";
/** Of a file that is read again. */
const pieceBytes = 2 ** 20;

/** Writes a file of features. Gives how many rows it has. Throws `run/disk-full`, `run/unwritable`, and what the rows throw. */
export async function writeFeatures(path: string, format: FeatureFormat, features: FeaturesToStore): Promise<number> {
  const [partial, kept] = [path + partialSuffix, `${path}.rows${partialSuffix}`];
  try {
    const count = await makeFile(partial, (file) =>
      format === "csv" ? writeCsv(file, features) : makeFile(kept, (rows) => writeArrays(file, rows, format, features)),
    );
    await rename(partial, path);
    return count;
  } catch (error) {
    throw error instanceof RunError || !isSystem(error) ? error : unwritable(path, error, room);
  } finally {
    for (const left of [partial, kept]) await rm(left, { force: true }).catch(() => undefined);
  }
}

const isSystem = (error: unknown): boolean => error instanceof Error && "syscall" in error;

async function writeCsv(
  file: FileHandle,
  { width, rows, factsOf, classes, several }: FeaturesToStore,
): Promise<number> {
  const columns = Array.from({ length: width }, (_, i) => `f${i}`);
  await file.writeFile(`${["sample", "path", "label", "class", ...columns].join(",")}\n`);
  let count = 0;
  for await (const { values, samples } of rows) {
    const lines = Array.from(samples, (sample, i) => {
      const { path, label } = factsOf(sample);
      const own = Array.from(values.subarray(i * width, (i + 1) * width), shortest);
      const numbers = label === null ? [] : [label].flat();
      const names = numbers.map((number) => classes[number] ?? "").join("|");
      const written = numbers.length === 0 && !several ? "-1" : numbers.join("|");
      return `${[sample, quotedField(path), written, quotedField(names), ...own].join(",")}\n`;
    });
    await file.writeFile(lines.join(""));
    count += samples.length;
  }
  return count;
}

/** Nine digits tell a 32-bit float from every other. */
const shortest = (value: number): number => Number(value.toPrecision(9));

const quotedField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

async function writeArrays(
  file: FileHandle,
  kept: FileHandle,
  format: "npz" | "safetensors",
  { width, rows, factsOf, classes, several, metadata }: FeaturesToStore,
): Promise<number> {
  const samples: number[] = [];
  for await (const batch of rows) {
    await kept.writeFile(bytesOf(batch.values));
    for (const sample of batch.samples) samples.push(sample);
  }
  const count = samples.length;
  const labelsOf = samples.map((sample) => factsOf(sample).label);
  const labels = several ? labelFlags(labelsOf, classes.length) : numbersOf(labelsOf);
  const labelShape = several ? [count, classes.length] : [count];
  const paths = samples.map((sample) => factsOf(sample).path);
  const named = paths.some((path) => path !== "");
  const features = piecesOf(kept, count * width * Float32Array.BYTES_PER_ELEMENT);
  if (format === "npz") {
    await writeNpz(file, [
      { name: "features", header: npyHeader("<f4", [count, width]), data: features },
      { name: "labels", header: npyHeader(several ? "|u1" : "<i8", labelShape), data: [bytesOf(labels)] },
      ...(named ? [{ name: "paths", ...npyText(paths) }] : []),
      { name: "classes", ...npyText(classes) },
    ]);
    return count;
  }
  const [pathText, classText] = [textOf(paths), textOf(classes)];
  const header = safetensorsHeader(
    [
      { name: "labels", shape: labelShape, dtype: several ? "U8" : "I64" },
      { name: "features", shape: [count, width], dtype: "F32" },
      ...(named ? [{ name: "paths", shape: [pathText.length], dtype: "U8" as const }] : []),
      { name: "classes", shape: [classText.length], dtype: "U8" },
    ],
    metadata,
  );
  for (const part of [header, bytesOf(labels)]) await file.writeFile(part);
  for await (const piece of features) await file.writeFile(piece);
  for (const part of named ? [pathText, classText] : [classText]) await file.writeFile(part);
  return count;
}

const numbersOf = (labels: readonly (Label | null)[]): BigInt64Array =>
  BigInt64Array.from(labels, (label) => (typeof label === "number" ? BigInt(label) : -1n));

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array | Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A line each, in UTF-8. */
const textOf = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.join("\n"));

async function* piecesOf(file: FileHandle, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; ) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(pieceBytes, length - at)), 0, null, at);
    if (bytesRead === 0) throw new Error("invariant: rows that were written are gone");
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
