/** What is prepared, how, and into which places: plain values, told to any thread that prepares. */

import { resolve } from "node:path";
import {
  type Annotated,
  type ArraySample,
  type ArrayShape,
  arrayLength,
  arrayOfImage,
  type BoundField,
  type Label,
  type ModelProgram,
  type Sample,
  type Sliding,
  type Training,
  type View,
  type ViewProgram,
  viewName,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Kept } from "./kept.js";

/** Bytes 0..255, or floats. */
export type Numbers = Uint8Array | Float32Array;

/** Numbers of fields, four bytes each. */
export type FieldArray = Float32Array | Int32Array;

/** By the names of the fields. */
export type FieldArrays = Readonly<Record<string, FieldArray>>;

/** Frames of a clip, every so manieth of a video. */
export interface ClipOf {
  readonly count: number;
  readonly stride: number;
}

/** What one input reads of a sample, which any thread can prepare. Paths are absolute. */
export type Source =
  | {
      readonly kind: "file";
      readonly path: string;
      /** Within the data's own folder; null: it has none. */
      readonly within: string | null;
      /** What of a video is read; if absent, the file is none. */
      readonly clip?: ClipOf;
      /** The objects in it; if absent, nobody has looked. */
      readonly annotated?: Annotated;
      /** The file with the class or the value of each of its places; if absent, there is none. */
      readonly map?: string;
      /** What in the file itself is that of each place; if absent, nothing. */
      readonly property?: string;
    }
  | {
      readonly kind: "frames";
      /** Of the clip's folder. */
      readonly path: string;
      readonly names: readonly string[];
      readonly count: number;
      readonly stride: number;
    }
  | {
      readonly kind: "array";
      readonly numbers: Numbers;
      readonly shape: ArrayShape;
      readonly annotated?: Annotated;
      /** The class or the value of each of its places; if absent, nobody says. */
      readonly map?: Int32Array | Float32Array;
    };

/** Where a sample's file or folder is; empty: its numbers are here already. */
export const pathOf = (source: Source): string => (source.kind === "array" ? "" : source.path);

/** By the names of the arrays. */
export type Sources = Readonly<Record<string, Source>>;

/** What each of the arrays that a model reads is made of. */
export function sourcesOf(sample: Sample, root: string, arrays: ModelProgram["arrays"]): Sources {
  const parts = partsOf(sample, arrays);
  return Object.fromEntries(parts.map(([name, part]) => [name, sourceOf(part, root)]));
}

/** A sample of one input for each array. */
function partsOf(sample: Sample, arrays: ModelProgram["arrays"]): readonly (readonly [string, ArraySample])[] {
  const names = Object.keys(arrays);
  if (sample.kind !== "joined") {
    const [name] = names;
    invariant(name !== undefined && names.length === 1, "a sample of one input, and a model of several");
    return [[name, sample]];
  }
  return names.map((name) => {
    const part = sample.parts[name];
    invariant(part, `a sample without ${name}`);
    return [name, part];
  });
}

/** Where the content of a sample of one input is, for any thread. */
export function sourceOf(sample: ArraySample, root: string): Source {
  switch (sample.kind) {
    case "file":
      return {
        kind: "file",
        path: resolve(root, sample.path),
        within: sample.within ?? null,
        ...(sample.clip ? { clip: sample.clip } : {}),
        ...(sample.annotated ? { annotated: sample.annotated } : {}),
        ...(sample.map === undefined ? {} : { map: resolve(root, sample.map) }),
        ...(sample.property === undefined ? {} : { property: sample.property }),
      };
    case "frames": {
      const { names, count, stride } = sample;
      return { kind: "frames", path: resolve(root, sample.path), names, count, stride };
    }
    case "pixels":
      return {
        ...{ kind: "array", numbers: sample.pixels, shape: arrayOfImage(sample.shape) },
        ...(sample.annotated ? { annotated: sample.annotated } : {}),
        ...(sample.map ? { map: sample.map() } : {}),
      };
    case "array":
      return {
        ...{ kind: "array", numbers: sample.numbers, shape: sample.shape },
        ...(sample.map ? { map: sample.map() } : {}),
      };
  }
}

/** Of each input, the numbers of a sample that are here already; null: they are in a file. */
export function numbersOf(sample: Sample): readonly (Numbers | null)[] {
  const parts = sample.kind === "joined" ? Object.values(sample.parts) : [sample];
  return parts.map((part) => {
    const source = sourceOf(part, "");
    return source.kind === "array" ? source.numbers : null;
  });
}

/** What is done with every sample. */
export interface Preparation {
  readonly augment: Training["augment"];
  /** What the model reads of a sample, by name. */
  readonly arrays: ModelProgram["arrays"];
  /** The views that training sees in place of arrays, by the names of their streams; if absent, it sees the arrays. */
  readonly streams?: Streams;
  readonly seed: number;
  /**
   * Training draws random augmentations. Evaluation takes what they name instead, and where another size is left then,
   * makes pictures as large as the input needs and cuts their centres.
   */
  readonly mode: "train" | "evaluate";
  /** What is computed of each sample beside its array, by name. */
  readonly fields: Readonly<Record<string, BoundField>>;
  /** Folders of fields are relative to it. */
  readonly root: string;
  /** Nothing is cut out of a sample, and pictures are as large as that says; if absent, an array of the model's size is made. Of evaluation. */
  readonly whole?: Sliding["pictures"];
  /** What this thread keeps of files; if absent, nothing. */
  readonly kept?: Kept;
}

/** The views that training sees, by the names of their streams, without what hides tokens of them: plain values. */
export type Streams = Readonly<Record<string, Omit<ViewProgram, "mask">>>;

export const streamsOf = (views: NonNullable<ModelProgram["views"]>): Streams =>
  Object.fromEntries(Object.entries(views).map(([name, { mask, ...stream }]) => [name, stream]));

/** One of the arrays that a model reads, or a view of one. */
export interface NamedArray {
  readonly name: string;
  readonly shape: ArrayShape;
  readonly view?: SampleView;
}

/** One of the views of a sample. */
export interface SampleView {
  /** As labels of augmentations may call it, its input and its stream included. */
  readonly names: readonly string[];
  /** Its place among all views of the sample. */
  readonly place: number;
  /** Augmentations without a label draw once for all views. */
  readonly shared: boolean;
}

/** What is prepared of a sample under one name: an array, or the views of a stream one after the other. */
export interface Prepares {
  readonly name: string;
  /** The array that it is made of. */
  readonly of: string;
  readonly shape: ArrayShape;
  /** null: the array itself, once. */
  readonly views: readonly SampleView[] | null;
}

/** What is prepared of each sample. */
export function preparedOf({
  arrays,
  streams,
}: Pick<Preparation, "arrays"> & { readonly streams?: Streams | undefined }): readonly Prepares[] {
  if (!streams) return Object.entries(arrays).map(([name, shape]) => ({ name, of: name, shape, views: null }));
  let place = 0;
  return Object.entries(streams).map(([name, { of, count, array, shared = false }]) => ({
    ...{ name, of, shape: array },
    views: Array.from({ length: count }, (_, i) => ({
      names: [of, name, viewName(name, count, i)],
      place: place++,
      shared,
    })),
  }));
}

/** Numbers of a sample under one name. */
export const numbersPrepared = ({ shape, views }: Prepares): number => arrayLength(shape) * (views?.length ?? 1);

/** One sample to prepare into a place of a batch. */
export interface Item {
  readonly sources: Sources;
  /** Its class; null: it has none. */
  readonly label: Label | null;
  /** Its number; if absent, it has none. */
  readonly value?: number;
  /** Keys of its random stream. */
  readonly epoch: number;
  readonly sample: number;
  /** Which part of it evaluation looks at; if absent, the middle. */
  readonly view?: View;
  /** The sample that is mixed with it before an array is made of them; if absent, none is. */
  readonly other?: OtherItem;
}

/** A sample that is mixed with another one, of which `ownShare` is left. */
export interface OtherItem extends Pick<Item, "sources" | "label" | "sample"> {
  readonly ownShare: number;
}

/** The places of one sample in a batch. */
export interface Places {
  /** [...axes, C], by the names of the arrays. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** By the names of the fields. */
  readonly fields: FieldArrays;
}
