/**
 * What every block declares, and what each kind of block adds. One definition object in one file a block;
 * the registry (`blocks/index.ts`) is a plain value of lists by kind. Facts and pure functions only:
 * no parsing, printing, files, clock or tensor library.
 */

import type { ArrayShape } from "./arrays.js";
import type { Kind } from "./kinds.js";
import type { Params, ValuesOf } from "./params.js";
import type { Lattice } from "./sets.js";

// Functions of a block's values are written as methods, which TypeScript compares loosely in their arguments, so that
// blocks with different parameters fit into one list.

/** A condition that joins several values, and the sentence said when it fails. */
export interface Requirement<P extends Params, Context> {
  /** Last part of the diagnostic's code: `<kind>/<block>/<name>`. */
  readonly name: string;
  /** The parameter to point at; null: the block. */
  readonly at: (keyof P & string) | null;
  /** What the condition is, for the documentation. */
  readonly doc: string;
  holds(p: ValuesOf<P>, context: Context): boolean;
  /** What is wrong, with the numbers. */
  say(p: ValuesOf<P>, context: Context): string;
  /** Nearest values that fit, or another way out. */
  help?(p: ValuesOf<P>, context: Context): string;
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
  /** Stands in a slot that the spec leaves empty; at most one of a kind. */
  readonly isDefault?: true;
  readonly requires?: readonly Requirement<P, Context>[];
}

/** A definition with its values, checked: what stands in a slot, once nothing of the text is asked any more. */
export interface Bound<D = Definition> {
  readonly definition: D;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What is known when positions, a mask, encoder, decoder, target or loss is checked. */
export interface ModelContext {
  /** What enters the model. */
  readonly array: ArrayShape;
  /** How it is cut into tokens. */
  readonly grid: Lattice;
  /** Tokens of all inputs together. */
  readonly tokens: number;
  /** Arrays that the model reads. */
  readonly inputs: number;
  /** Whether an input bears a label, by which other models that read several inputs know it; if absent, none does. */
  readonly labelled?: boolean;
  /** Whether it stands in the braces of a target: what it makes is no part of the model's own latent. */
  readonly inner: boolean;
  /** Encoder width; null while the encoder itself is being checked. */
  readonly width: number | null;
  /** Decoder width; null when there is no decoder, or while it is being checked. */
  readonly decoderWidth: number | null;
  /** Of a decoder that begins behind blocks of the model's own: those that attend to all tokens, and its width; null of any other. */
  readonly behind: { readonly blocks: number | null; readonly width: number | null } | null;
  /** Layers of the encoder; null while the encoder itself is being checked. */
  readonly layers: number | null;
  /** Maps that the encoder gives, the finest first, and what enters it in place of hidden cells; null: it gives tokens. */
  readonly maps: {
    readonly levels: readonly { readonly stride: number; readonly width: number }[];
    readonly hiding: string;
  } | null;
  /** Tokens in front of the patches of what the encoder gives; null while the encoder itself is being checked. */
  readonly extraTokens: number | null;
}

const kindMark: unique symbol = Symbol("kind");

/** Remembers which kind of block a definition is: what `defineMask` and its like do. */
export const ofKind = <D extends object>(kind: Kind, definition: D): D =>
  Object.defineProperty(definition, kindMark, { value: kind });

/** The kind that a definition was defined as; undefined for anything else. */
export const kindOf = (value: unknown): Kind | undefined =>
  typeof value === "object" && value !== null ? (value as { readonly [kindMark]?: Kind })[kindMark] : undefined;
