/**
 * Masks. A mask is an order of the lattice's tokens: the first `visible` of them are seen by the encoder, in this order, the rest are
 * hidden. It is drawn on the host; a guided mask then decides in the graph, by what the model itself makes of the image. The number
 * of visible tokens is the same for every sample of a batch: the shapes of a graph are fixed, and there is a graph for each number.
 */

import type { Random, Tensor, TypedArray } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { Field, FieldContext } from "../field.js";
import type { Params, ValuesOf } from "../params.js";
import type { Moving, Progress } from "../progress.js";
import type { Lattice } from "../sets.js";

/** What the graph makes an order of. */
export interface GuideInputs {
  /**
   * What the tokens of the whole image attend to in a layer of the encoder, counted from 1: [B, heads, extra + N, extra + N],
   * rows sum to 1. Of latents that ask, [B, heads, M, N].
   */
  readonly attention: (layer: number) => Tensor;
  /**
   * What the encoder makes of the patches of the whole image, [B, N, D]: what a layer gives, counted from the last, which is 1, before the
   * final normalisation.
   */
  readonly features: (fromLast: number) => Tensor;
  /** Layers of the encoder. */
  readonly layers: number;
  /** How the patches lie. */
  readonly grid: Lattice;
  /** int32 [B, N]: the place of each token in the order that was drawn. */
  readonly drawn: Tensor;
  /** [B, numbers]: what was drawn beside it. */
  readonly draws: Tensor;
  /** Scalars [] by name. */
  readonly moving: Readonly<Record<string, Tensor>>;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** int32 [B, N - V]: as many tokens are hidden. */
  readonly hidden: Tensor;
}

/** How a mask is decided in the graph. */
export interface Guide<P extends Params = Params> {
  /**
   * What it reads: the attention of the model's latents, which ask the tokens, or features of the patches; if absent, the attention of the tokens of
   * a layer of the encoder.
   */
  readonly asks?: "latents" | "features";
  /** How many numbers are drawn for a sample, after its order. */
  numbers(p: ValuesOf<P>, grid: Lattice): number;
  draw(p: ValuesOf<P>, grid: Lattice, random: Random): Float32Array;
  /** By the names of the scalars. */
  moving(p: ValuesOf<P>): Readonly<Record<string, Moving>>;
  /** Whose: the slow copy's, or, if absent, the encoder's own. */
  by?(p: ValuesOf<P>): "encoder" | "teacher";
  /** -> int32 [B, N], a permutation of 0..N-1 for each sample. */
  order(code: Code, p: ValuesOf<P>, inputs: GuideInputs): Tensor;
}

/** Numbers of visible tokens. */
export interface VisibleCounts<P extends Params = Params> {
  /** Those that there can be, ascending; one where the values leave no choice. */
  counts(p: ValuesOf<P>, grid: Lattice): readonly number[];
  /** That of a batch. */
  count(p: ValuesOf<P>, grid: Lattice, progress: Progress, random: Random): number;
}

/** What enters the encoder in place of a hidden token: nothing, a learned token, zeros, or the token of another id. */
export type Hiding = "drop" | "token" | "zero" | "corrupt";

/** A mask over the tokens of several inputs, one input after the other. */
export interface JointMask<P extends Params = Params> {
  /** Number of visible tokens of all inputs. `counts`: the tokens of each. */
  visible(p: ValuesOf<P>, counts: readonly number[]): number;
  /** One sample's order of all tokens, visible ones first. */
  sample(p: ValuesOf<P>, counts: readonly number[], random: Random): Int32Array;
}

export interface Mask<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Number of visible tokens, V; where it varies, the largest. */
  visible(p: ValuesOf<P>, grid: Lattice): number;
  /** Present where it may vary from batch to batch. */
  readonly varies?: VisibleCounts<P>;
  /** Present where it is drawn over the tokens of all inputs together: a sample may show more of one, and less of another. */
  readonly joint?: JointMask<P>;
  /** What enters the encoder in place of hidden tokens; null, or if absent, what the model's decoder asks for. */
  hiding?(p: ValuesOf<P>): Hiding | null;
  /**
   * Present where it chooses ids of a text: its field has the id that enters at each place, int32 [N], -1 where none was chosen, and is fed.
   * Of those that `sample` hides some may not be chosen, where a text has fewer words. Any other mask is for amounts.
   */
  readonly corrupts?: true;
  /**
   * Present where hidden tokens are predicted in blocks, each by itself: how many there are and the tokens of each. Its field has their places,
   * int32 [blocks tokens], one block after the other, and is fed.
   */
  blocks?(p: ValuesOf<P>, grid: Lattice): { readonly blocks: number; readonly tokens: number };
  /** Tokens that it never hides, the first in raster order; if absent, there may be none. */
  given?(p: ValuesOf<P>, grid: Lattice): number;
  /** Whether all samples of a batch have one mask; if absent, each has its own. */
  shared?(p: ValuesOf<P>): boolean;
  /** Whether all views of a sample have one, of a model that sees such; if absent, each has its own. */
  alike?(p: ValuesOf<P>): boolean;
  /** Of a model that sees views of a sample, the names of the streams over which it lies; null, or if absent, all. */
  on?(p: ValuesOf<P>): readonly string[] | null;
  /** What it needs of a sample besides a random stream. */
  field?(p: ValuesOf<P>, context: FieldContext): Field;
  /**
   * One sample's order: a permutation of 0..N-1. `field`: the sample's numbers of the mask's field, where it has one. `visible`: the
   * number of visible tokens, where it may vary; if absent, the largest.
   */
  sample(p: ValuesOf<P>, grid: Lattice, random: Random, field?: TypedArray, visible?: number): Int32Array;
  /** Present where the graph decides: the order of `sample` is then what it draws from. */
  readonly guide?: Guide<P>;
}

export const defineMask = <const P extends Params>(mask: Mask<P>): Mask<P> => ofKind("mask", mask);

/** How a share of hidden tokens becomes a number: which of the two is rounded, and how. */
export type Rounding = "visible_down" | "hidden_down" | "nearest";

/**
 * Visible ones of N tokens: floor(N (1 - ratio)) as official MAE counts, truncated in floating point, so that 100 tokens at 90 % keep
 * 9; N - floor(N ratio) as VideoMAE does; or the nearest number, as SparK has it.
 */
export function visibleTokens(tokens: number, ratio: number, rounding: Rounding | null = null): number {
  if (rounding === "hidden_down") return tokens - Math.trunc(tokens * ratio);
  return rounding === "nearest" ? Math.round(tokens * (1 - ratio)) : Math.trunc(tokens * (1 - ratio));
}
