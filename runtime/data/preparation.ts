/** What is prepared, how, and into which places: plain values, told to any thread that prepares. */

import { resolve } from "node:path";
import {
  type ArrayShape,
  type Augment,
  arrayOfImage,
  type BoundField,
  type ModelProgram,
  type Sample,
} from "../../blocks/index.js";
import type { Bound } from "../train/contract.js";

/** Bytes 0..255, or floats. */
export type Numbers = Uint8Array | Float32Array;

/** Numbers of fields, four bytes each. */
export type FieldArray = Float32Array | Int32Array;

/** By the names of the fields. */
export type FieldArrays = Readonly<Record<string, FieldArray>>;

/** A sample that any thread can prepare. Paths are absolute. */
export type Source =
  | {
      readonly kind: "file";
      readonly path: string;
      /** Within the data's own folder; null: it has none. */
      readonly within: string | null;
    }
  | {
      readonly kind: "frames";
      /** Of the clip's folder. */
      readonly path: string;
      readonly names: readonly string[];
      readonly count: number;
      readonly stride: number;
    }
  | { readonly kind: "array"; readonly numbers: Numbers; readonly shape: ArrayShape };

/** Where a sample's file or folder is; empty: its numbers are here already. */
export const pathOf = (source: Source): string => (source.kind === "array" ? "" : source.path);

/** Where a sample's content is, for any thread. */
export function sourceOf(sample: Sample, root: string): Source {
  switch (sample.kind) {
    case "file":
      return { kind: "file", path: resolve(root, sample.path), within: sample.within ?? null };
    case "frames": {
      const { names, count, stride } = sample;
      return { kind: "frames", path: resolve(root, sample.path), names, count, stride };
    }
    case "pixels":
      return { kind: "array", numbers: sample.pixels, shape: arrayOfImage(sample.shape) };
    case "array":
      return { kind: "array", numbers: sample.numbers, shape: sample.shape };
  }
}

/** The numbers of a sample that are here already; null: they are in a file. */
export function numbersOf(sample: Sample): Numbers | null {
  const source = sourceOf(sample, "");
  return source.kind === "array" ? source.numbers : null;
}

/** What is done with every sample. */
export interface Preparation {
  readonly augment: readonly Bound<Augment>[];
  /** What the model reads of a sample, by name. */
  readonly arrays: ModelProgram["arrays"];
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
}

/** One sample to prepare into a place of a batch. */
export interface Item {
  readonly source: Source;
  /** Its class; null: it has none. */
  readonly label: number | null;
  /** Keys of its random stream. */
  readonly epoch: number;
  readonly sample: number;
}

/** The places of one sample in a batch. */
export interface Places {
  /** [...axes, C], by the names of the arrays. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** By the names of the fields. */
  readonly fields: FieldArrays;
}
