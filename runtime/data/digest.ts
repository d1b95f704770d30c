/**
 * What a run keeps of its data, so that it does not go on with others unnoticed: names and labels, and of some samples the
 * size and the bytes. Cheap for any data set: a change of a single image among thousands may be missed.
 */

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { ArraySample, Sample, SampleIndex } from "../../blocks/index.js";
import { notRead, openNamedFile, openPlainFile, readBytes } from "../plain-file.js";
import { systemCode } from "../run-error.js";

/** Digests, each of which tells of a kind of change. */
export interface DataDigest {
  readonly names: string;
  readonly labels: string;
  readonly contents: string;
}

/** Samples whose bytes are looked at, spread evenly over the data. */
const looked = 64;
/** Of arrays, samples whose labels are: to ask for one may copy its pixels. Of files, all. */
const labelled = 10_000;
/** Bytes of a file that are read: its header, and enough of what follows. */
const mostRead = 2 ** 16;

/** Paths are relative to `root`. */
export async function digestOf(index: SampleIndex, root: string): Promise<DataDigest> {
  const [names, labels, contents] = [createHash("sha256"), createHash("sha256"), createHash("sha256")];
  const isOfFiles = partsOf(index.sample(0)).some(isInFiles);
  labels.update(JSON.stringify(index.classes));
  for (const i of spread(index.length, isOfFiles ? index.length : labelled)) {
    const sample = index.sample(i);
    labels.update(`${sample.label}\n`);
    if (index.values) labels.update(`${index.values(i)}\n`);
    for (const part of partsOf(sample)) {
      if ((part.kind === "file" || part.kind === "pixels") && part.annotated)
        labels.update(JSON.stringify(part.annotated.objects));
      if (part.kind === "file" && part.map !== undefined) labels.update(`${part.map}\n`);
    }
    for (const part of partsOf(sample)) {
      if (part.kind === "file") names.update(`${part.within ?? part.path}\n`);
      if (part.kind === "frames") names.update(`${[part.within, ...part.names].join("/")}\n`);
    }
  }
  for (const i of spread(index.length, looked)) {
    for (const part of partsOf(index.sample(i))) contents.update(await bytesOf(part, root));
  }
  const short = (hash: typeof names) => hash.digest("hex").slice(0, 16);
  return { names: short(names), labels: short(labels), contents: short(contents) };
}

/** At most so many indices, evenly over all. */
const spread = (length: number, most: number): readonly number[] =>
  Array.from({ length: Math.min(length, most) }, (_, i) => Math.floor((i * length) / Math.min(length, most)));

/** Of a sample of several inputs, that of each. */
const partsOf = (sample: Sample): readonly ArraySample[] =>
  sample.kind === "joined" ? Object.values(sample.parts) : [sample];

type InFiles = Extract<ArraySample, { readonly kind: "file" | "frames" }>;

const isInFiles = (sample: ArraySample): sample is InFiles => sample.kind === "file" || sample.kind === "frames";

/** Of a clip, those of its first frame. */
async function bytesOf(sample: ArraySample, root: string): Promise<Uint8Array> {
  if (!isInFiles(sample)) {
    const numbers = sample.kind === "pixels" ? sample.pixels : sample.numbers;
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    return Buffer.concat([Buffer.from(JSON.stringify(sample.shape)), bytes]);
  }
  const path = sample.kind === "file" ? sample.path : join(sample.path, sample.names[0] as string);
  try {
    const { file, size } = await openPlainFile(resolve(root, path));
    try {
      return Buffer.concat([Buffer.from(`${size}\n`), await readBytes(file, 0, Math.min(mostRead, size))]);
    } finally {
      await file.close();
    }
  } catch (error) {
    // Whether a file that cannot be read ends the run is said where it is decoded.
    return Buffer.from(systemCode(error));
  }
}

/** SHA-256 of the bytes of a file that somebody named. Throws as `openNamedFile`. */
export async function fileDigest(path: string): Promise<string> {
  const { file } = await openNamedFile(path);
  const digest = createHash("sha256");
  try {
    for await (const bytes of file.createReadStream({ autoClose: false })) digest.update(bytes as Uint8Array);
    return digest.digest("hex");
  } catch (error) {
    throw notRead(path, error);
  } finally {
    await file.close();
  }
}
