/**
 * Datasets: where samples come from. A definition opens no file: it turns bytes and listings of folders, read through
 * `Files`, into an index of samples. Decoding of compressed images is the runtime's.
 */

import { type Definition, ofKind } from "../block.js";
import type { ImageShape } from "../geometry.js";
import type { Params, ValuesOf } from "../params.js";

/** The only access to files; paths are relative to the project's root. Errors are the runtime's `RunError`s. */
export interface Files {
  /** A file compressed by gzip comes unpacked. */
  read(path: string): Promise<Uint8Array>;
  /** Names in a folder, sorted, folders end with "/". */
  list(path: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
}

/** One sample before augmentation. */
export type Sample =
  /** A compressed image file. */
  | {
      readonly kind: "file";
      readonly path: string;
      /** Within the data's own folder, by which files that belong to the image are found; absent: it has none. */
      readonly within?: string;
      readonly label: number | null;
    }
  /** Raw pixels, row major, channel fastest: bytes 0..255, or floats already in [0, 1]. */
  | {
      readonly kind: "pixels";
      readonly pixels: Uint8Array | Float32Array;
      readonly shape: ImageShape;
      readonly label: number | null;
    };

export interface SampleIndex {
  readonly length: number;
  readonly sample: (i: number) => Sample;
  /** Class names by label; empty when unlabelled. */
  readonly classes: readonly string[];
  /** What was left out and why, for one printed line each. */
  readonly notes: readonly string[];
}

export type Split = "train" | "test";

export interface DatasetContext {
  readonly image: ImageShape;
}

export interface Dataset<P extends Params = Params> extends Definition<P, DatasetContext> {
  /** Throws `DataError` (below) when the data is not what the spec says. */
  open(p: ValuesOf<P>, files: Files, split: Split): Promise<SampleIndex>;
}

export const defineDataset = <const P extends Params>(dataset: Dataset<P>): Dataset<P> => ofKind("dataset", dataset);

/** The data is not usable: what, why, what to do. */
export class DataError extends Error {
  override readonly name = "DataError";
  constructor(
    readonly what: string,
    readonly help: string,
  ) {
    super(`${what}. ${help}`);
  }
}
