/**
 * What every block declares, and what each kind of block adds. One definition object in one file a block;
 * the registry (`blocks/index.ts`) is a plain value of lists by kind. Facts and pure functions only:
 * no parsing, printing, files, clock or tensor library.
 */

import type { Grid, ImageShape } from "./geometry.js";
import type { Params, ValuesOf } from "./params.js";

/** A condition that joins several values, and the sentence said when it fails. */
export interface Requirement<P extends Params, Context> {
  /** Last part of the diagnostic's code: `<kind>/<block>/<name>`. */
  readonly name: string;
  /** The parameter to point at. */
  readonly at: keyof P & string;
  /** What the condition is, for the documentation. */
  readonly doc: string;
  readonly holds: (p: ValuesOf<P>, context: Context) => boolean;
  /** What is wrong, with the numbers. */
  readonly say: (p: ValuesOf<P>, context: Context) => string;
  /** Nearest values that fit, or another way out. */
  readonly help?: (p: ValuesOf<P>, context: Context) => string;
}

/** What all blocks share. `Context` is what is known about the model where the block stands. */
export interface Definition<P extends Params = Params, Context = never> {
  /** As written in a spec: lower case, words joined by "_". */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** Paper, standard or "own definition". */
  readonly source: string;
  /** Version of maelang that first had it. */
  readonly since: string;
  readonly params: P;
  /** The parameter that a lone unnamed argument fills, as in `folder("data")`. */
  readonly positional?: keyof P & string;
  readonly requires?: readonly Requirement<P, Context>[];
}

/** What is known when a mask, encoder, decoder, target or loss is checked. */
export interface ModelContext {
  readonly image: ImageShape;
  readonly grid: Grid;
  /** Encoder width; null while the encoder itself is being checked. */
  readonly width: number | null;
}
