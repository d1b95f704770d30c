/** What a key map says: where each weight of a model comes from. It is made in `key-map.ts`. */

type Dims = readonly number[];

/** Part of an earlier stage, or of a file or run, that a stage or recipe starts from. */
export interface StageStart {
  /** A file in quotes. */
  readonly stage: string;
  /** null: all of it. */
  readonly part: string | null;
  /** Path of the file or the run; null: an earlier stage. */
  readonly file: string | null;
}

/** A weight of an earlier stage. */
export interface StageWeight {
  readonly stage: string;
  readonly name: string;
  readonly shape: Dims;
}

/** A weight of the stage's own model. */
export interface Start {
  readonly name: string;
  /** The parts of the model it belongs to, the widest first. */
  readonly parts: readonly string[];
  readonly shape: Dims;
}

/**
 * `kept`: the same name and shape. `renamed`: another name. `resized`: a position table for another lattice, interpolated.
 * `adapted`: a matrix over patches of another number of channels, summed or repeated.
 * `computed`: a fixed table, which follows from the model alone, or a weight that begins as the one it follows. `new`: starts
 * from scratch; `instead` of a weight that was to be taken and has another shape. `dropped`: of an earlier stage, and of no use
 * here.
 */
export type Mapping =
  | (Start & { readonly status: "kept" | "renamed"; readonly from: StageWeight })
  | (Start & { readonly status: "resized"; readonly from: StageWeight; readonly table: Resizing })
  | (Start & { readonly status: "adapted"; readonly from: StageWeight; readonly channels: ChannelChange })
  | (Start & { readonly status: "computed" })
  | (Start & { readonly status: "new"; readonly instead: StageWeight | null; readonly adaptable?: ChannelChange })
  | { readonly status: "dropped"; readonly from: StageWeight; readonly parts: readonly string[] };

export type MappingStatus = Mapping["status"];

/**
 * A table [1, extra + tokens, D] of one lattice for another, by their tokens along each axis; the `extra` rows stay. `turned`: the places of the first
 * lie along the first of its two axes first.
 */
export interface Resizing {
  readonly from: Dims;
  readonly to: Dims;
  readonly extra: number;
  readonly turned?: true;
}

/** How many channels the values of a patch have. */
export interface ChannelChange {
  readonly from: number;
  readonly to: number;
}
