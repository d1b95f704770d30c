/**
 * Datasets: where samples come from. A definition opens no file: it turns bytes and listings of folders, read through
 * `Files`, into an index of samples. Decoding of compressed images is the runtime's.
 */

import { type ArrayShape, type ImageShape, type Medium, storedMedium, wordsOf } from "../arrays.js";
import { type Definition, ofKind, type Requirement } from "../block.js";
import type { Annotated } from "../detection/objects.js";
import type { Params, ValuesOf } from "../params.js";
import { axesText } from "../sets.js";
import { oneLine } from "../wording.js";

/** The only access to files; paths are relative to the project's root. Errors are the runtime's `RunError`s. */
export interface Files {
  /** A text, whole. Compressed by gzip, it comes unpacked. */
  read(path: string): Promise<Uint8Array>;
  /**
   * A file that says at its beginning how long it is, to be read in pieces. Compressed by gzip, it comes unpacked, but for
   * what follows the length that it says and one byte.
   * @param headerOf what the first 128 KiB say, or all of a shorter file; throws `DataError` for another format
   */
  open<H extends SizedHeader>(path: string, headerOf: (beginning: Uint8Array) => H): Promise<StoredFile<H>>;
  /** Names in a folder, sorted, folders end with "/". */
  list(path: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  /**
   * Reads the rows of a table of comma-separated values, or of a Parquet file, one after the other. `names`: of the columns of a file whose
   * first line has none; null: it names them. Throws `DataError` for what is no table.
   */
  table(path: string, names: readonly string[] | null, asking: (names: readonly string[]) => RowsWanted): Promise<void>;
  /** What turns texts into ids, by the file of a vocabulary. Throws `DataError` for one that is none. */
  tokenizer(path: string): Promise<Tokenizer>;
}

/** What a cell of a table holds; null: nothing. */
export type Cell = string | number | null;

/** What is asked of a table. */
export interface RowsWanted {
  /** Columns by number, of which cells are given. */
  readonly columns: readonly number[];
  /** Told of each row. `place`: where it is, in words. */
  row(cells: readonly Cell[], place: () => string): void;
}

/** Turns texts into ids of a vocabulary. */
export interface Tokenizer {
  /** Ids lie below. */
  readonly size: number;
  /** The id of [MASK]; null: the vocabulary has none. */
  readonly mask: number | null;
  /** The id behind the end of a text. */
  readonly pad: number;
  /** The id of what the vocabulary lacks; null: it lacks nothing. */
  readonly unknown: number | null;
  /** What stands around a text, and around the first and second of two. */
  readonly frame: {
    readonly one: readonly [first: readonly number[], last: readonly number[]];
    readonly two: readonly [first: readonly number[], between: readonly number[], last: readonly number[]];
  };
  /** Of a text without what stands around it. */
  tokens(text: string): TextTokens;
  /** What an id is written as. */
  written(id: number): Written;
}

/** A token as it is written. */
export interface Written {
  readonly text: string;
  /** Whether it follows the token before it without a space. */
  readonly joins: boolean;
}

export interface TextTokens {
  readonly ids: readonly number[];
  /** The number of the word in the text that each belongs to, from 1; 0 of what is no word. */
  readonly words: readonly number[];
}

export interface SizedHeader {
  /** Bytes that the whole file has by its header. */
  readonly size: number;
}

export interface StoredFile<H extends SizedHeader = SizedHeader> {
  readonly header: H;
  /** Bytes that it has. */
  readonly size: number;
  /** Those from `begin` up to `end`, which may be a view of memory that others see. */
  readonly bytes: (begin: number, end: number) => Uint8Array;
}

/** What a sample is: its class, or all that it has where it may have several, by their numbers. */
export type Label = number | readonly number[];

/** A row for each sample: 1 for each of its classes. */
export function labelFlags(labels: readonly (Label | null)[], classes: number): Uint8Array {
  const flags = new Uint8Array(labels.length * classes);
  for (const [row, label] of labels.entries()) {
    for (const one of label === null ? [] : [label].flat()) flags[row * classes + one] = 1;
  }
  return flags;
}

/** One sample before augmentation: what one input reads of it, or of several inputs each. */
export type Sample = ArraySample | JoinedSample;

/** Of a model with several inputs: a sample of each, by the names of their arrays. */
export interface JoinedSample {
  readonly kind: "joined";
  readonly parts: Readonly<Record<string, ArraySample>>;
  readonly label: Label | null;
}

/** Frames from the first to the last, counted from 1, both of them among them. */
export interface FrameSpan {
  readonly first: number;
  readonly last: number;
}

export type ArraySample =
  /** A file that the runtime decodes. */
  | {
      readonly kind: "file";
      readonly path: string;
      /** Within the data's own folder, by which files that belong to the image are found; if absent, it has none. */
      readonly within?: string;
      /** Of a video: frames of a clip, every `stride`-th. */
      readonly clip?: { readonly count: number; readonly stride: number };
      readonly label: Label | null;
      /** Of a video, where it is anomalous; if absent, nobody has looked. */
      readonly anomalies?: readonly FrameSpan[];
      /** The objects in it; if absent, nobody has looked. */
      readonly annotated?: Annotated;
      /** The file with the class of each of its places; if absent, there is none. */
      readonly map?: string;
      /** Of a cloud, the property in its file that is the part of each point; if absent, none is. */
      readonly property?: string;
    }
  /**
   * A clip: image files of a folder in their order, of which `count` are taken, every `stride`-th. There are enough of them.
   * A scan: all its slices, in any order.
   */
  | {
      readonly kind: "frames";
      readonly path: string;
      readonly within: string;
      /** Names within the folder. */
      readonly names: readonly string[];
      readonly count: number;
      readonly stride: number;
      readonly label: Label | null;
      /** As of a file. */
      readonly anomalies?: readonly FrameSpan[];
    }
  /** Raw pixels, row major, channel fastest: bytes 0..255, or floats, of which 0..1 are black to white. */
  | {
      readonly kind: "pixels";
      readonly pixels: Uint8Array | Float32Array;
      readonly shape: ImageShape;
      readonly label: Label | null;
      /** The objects in it; if absent, nobody has looked. */
      readonly annotated?: Annotated;
      /** Reads the class or the value of each of its places; if absent, nobody says. */
      readonly map?: () => Int32Array | Float32Array;
    }
  /** An array of any axes, channels last: bytes or floats as of pixels, or any floats. */
  | {
      readonly kind: "array";
      readonly numbers: Uint8Array | Float32Array;
      readonly shape: ArrayShape;
      readonly label: Label | null;
      /** By which samples of other inputs find it; if absent, they go by their numbers. */
      readonly name?: string;
      /** Reads the class or the value of each of its places; if absent, nobody says. */
      readonly map?: () => Int32Array | Float32Array;
    };

export interface SampleIndex {
  readonly length: number;
  readonly sample: (i: number) => Sample;
  /** Class names by label; empty when unlabelled. */
  readonly classes: readonly string[];
  /** Each sample has any number of classes, as a list; if absent, it has one. */
  readonly several?: true;
  /** The number of a sample that features are to tell; if absent, none has one. */
  readonly values?: (i: number) => number;
  /** What was left out and why, for one printed line each. */
  readonly notes: readonly string[];
}

export type Split = "train" | "test";

export interface DatasetContext {
  /** What the model reads of a sample. */
  readonly array: ArrayShape;
  /** Present where samples are joined with those of other inputs: what splits them goes by their names, as `nameOf` has them. */
  readonly joined?: true;
}

/** A path without the ending of the file. */
export const withoutEnding = (path: string): string => path.replace(/\.(?:nii\.gz|[^./\\]*)$/i, "");

/** The name by which samples of several inputs find each other: the path in the data's folder, of a file without its ending; null: none has one. */
export function nameOf(sample: ArraySample): string | null {
  if (sample.kind === "frames") return sample.within;
  if (sample.kind === "array") return sample.name ?? null;
  return sample.kind === "file" ? withoutEnding(sample.within ?? sample.path) : null;
}

export interface Dataset<P extends Params = Params> extends Definition<P, DatasetContext> {
  /** What of models it has data for; if absent, any. */
  readonly media?: readonly Medium[];
  /** Of texts: the file of their vocabulary; if absent, its samples are no texts. */
  vocabulary?(p: ValuesOf<P>): string;
  /** Throws `DataError` (below) when the data is not what the spec says, or not what the model reads. */
  open(p: ValuesOf<P>, files: Files, split: Split, context: DatasetContext): Promise<SampleIndex>;
}

export const defineDataset = <const P extends Params>(dataset: Dataset<P>): Dataset<P> =>
  ofKind("dataset", {
    ...dataset,
    requires: [...(dataset.media ? [ofMedia(dataset.media)] : []), ...(dataset.requires ?? [])],
  });

/** Whether there are media among which that of an array is. */
export const isOfMedia = (media: readonly Medium[], array: ArrayShape): boolean =>
  media.some((medium) => medium === storedMedium(array));

const ofMedia = (media: readonly Medium[]): Requirement<Params, DatasetContext> => ({
  name: "input",
  at: null,
  doc: `The model reads ${media.map((medium) => `\`${medium}\``).join(" or ")}.`,
  holds: (_, { array }) => isOfMedia(media, array),
  say: (_, { array }) =>
    `this is data for ${media.map((medium) => `\`${medium}\``).join(", ")}, and the model reads ${readText(array)}`,
  help: (_, { array }) =>
    array.gap
      ? 'name a folder of videos, or of folders of frames: `folder("...")`'
      : `save the samples as arrays [N, ${array.cloud ? "point" : axesText(array.axes)}, channels] and write \`npy("...")\``,
});

const readText = (array: ArrayShape): string =>
  array.gap ? "pairs of frames of videos" : `${wordsOf({ array }).sample}s (${axesText(array.axes)})`;

/** The data is not usable: what, why, what to do. Names in it may be any: both come on one line. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly what: string;
  readonly help: string;
  constructor(what: string, help: string) {
    super(oneLine(`${what}. ${help}`));
    this.what = oneLine(what);
    this.help = oneLine(help);
  }
}

/** A recipe names no test samples, which is no mistake: some data have none. */
export class NoTestData extends DataError {}
