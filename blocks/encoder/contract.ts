/**
 * Encoders: the network over the visible tokens. Parameters of all blocks of a model are merged into one tree under the
 * names of the official MAE checkpoints; `w` is a block's own part of it.
 */

import { InvariantError, type Tensor } from "../../graph/index.js";
import type { ArrayShape } from "../arrays.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { Code } from "../code.js";
import type { Hiding } from "../mask/index.js";
import type { TurnedPairs } from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Places } from "../places.js";
import type { Drop } from "../program.js";
import type { Lattice } from "../sets.js";
import type { StagedFacts } from "../staged-model.js";
import type { TransformerFacts } from "../vision-transformer.js";

/** What is known where the weights of an encoder are declared. */
export interface EncoderContext {
  /** What enters the model; of several arrays, the first. */
  readonly array: ArrayShape;
  /** How its patches lie; of several arrays, those of the first. */
  readonly grid: Lattice;
  /** Whether a mask hides something. */
  readonly masked: boolean;
  /** Labels of the inputs whose tokens it sees, where they are several; else empty. */
  readonly inputs: readonly string[];
}

/** The numbers of a sample by which parts of a block are multiplied in training. */
export interface Drops {
  /** Of all blocks of the model, [B, numbers]: 0, or so much that the mean is 1. Undefined: it is not trained, nothing is left out. */
  readonly values: Tensor | undefined;
  /** Where the block's own begin. */
  readonly first: number;
}

/** How queries and keys of a sequence are turned by their places. */
export interface Turned {
  /** For heads of so many features, as `rotaryTurns` gives it. `behind`: tokens that stand for no place, behind the others. */
  readonly turns: (width: number, behind?: number) => Tensor;
  readonly options: { readonly pairs: TurnedPairs; readonly axes: number };
}

/** Of what the tokens of a sequence are. */
export interface TokenOrigin {
  /** The table of their positions [1, extra + N, D], of which rows are added to tokens in front; null: those have no place, or `again` has it. */
  readonly positions: Tensor | null;
  /** The input that alone is seen, by an encoder of several; null: it sees all that it reads. */
  readonly input: string | null;
  /** Positions of all tokens, [B, extra + V, D], that are added before each layer and are not in the tokens yet; if absent, they are. */
  readonly again?: Tensor;
  /** How queries and keys of each layer are turned by their places; if absent, they are not. */
  readonly turned?: Turned;
  /** What is left out at random; if absent, nothing. */
  readonly drops?: Drops;
  /** How the tokens of the only input lie, of which all pass; if absent, some may be left out, or there are several inputs. */
  readonly grid?: Lattice;
  /** What is added to the scores of attention, [B, 1, 1, N], so that nothing attends to what is behind the end; null: all tokens count. */
  readonly padding: Tensor | null;
}

export interface Encoder<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** Features of a token, D. */
  width(p: ValuesOf<P>): number;
  /** Layers whose output can be asked for, from the first. */
  layers(p: ValuesOf<P>): number;
  /** Tokens put in front of the patches ([CLS]); they have position rows of their own, before the patches'. */
  extraTokens(p: ValuesOf<P>): number;
  /** Tokens behind those and before the patches that stand for no sample and no patch, of tokens that lie so; if absent, there are none. */
  separators?(p: ValuesOf<P>, grid: Lattice): number;
  /** What becomes of the tokens of all patches [B, N, D], with their positions, before any is hidden; if absent, nothing. */
  mark?(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor): Tensor;
  /** Present where it leaves out what is behind the end of a text; if absent, it reads inputs of which all tokens count. */
  readonly padding?: true;
  /** Present where it asks where tokens lie: all of one input pass through it, hidden ones as something else. */
  readonly everyToken?: true;
  /** Present where it reads tokens whose positions are computed of the sample, also before each layer. */
  readonly readsCoordinates?: true;
  /** Features of a head, where queries and keys can be turned by the places of their tokens; if absent, they cannot. */
  headWidth?(p: ValuesOf<P>): number;
  /** What it is elsewhere, where it is a plain vision transformer; null, or absent: it is none. */
  transformer?(p: ValuesOf<P>): TransformerFacts | null;
  /** What it is elsewhere, where it is an encoder of maps that others have too; null, or absent: it is none. */
  staged?(p: ValuesOf<P>): StagedFacts | null;
  parameters(p: ValuesOf<P>, context: EncoderContext): T;
  /** What of it is left out at random in training; if absent, nothing. */
  drops?(p: ValuesOf<P>): readonly Drop[];
  /** tokens [B, V, D] with positions added -> latent [B, extra + V, D], normalised. */
  encode(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor, seen: TokenOrigin): Tensor;
  /** What the last `count` layers give, deepest last, [B, extra + V, D] each, before the final normalisation. */
  outputs?(
    code: Code,
    p: ValuesOf<P>,
    w: Weights<T>,
    tokens: Tensor,
    seen: TokenOrigin,
    count: number,
  ): readonly Tensor[];
  /** What the tokens attend to in a layer, counted from 1: [B, heads, extra + V, extra + V], rows sum to 1. */
  attention?(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor, seen: TokenOrigin, layer: number): Tensor;
  /** The normalisation that ends `encode`, on tokens [..., D]; if absent, there is none. */
  normalize?(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor, origin: TokenOrigin): Tensor;
  /** Present where it reads an array itself and gives maps of it: it is asked for these, and never for tokens. */
  readonly maps?: Maps<P, T>;
}

/** A map of an array: how many of its places along each axis become one, and the features of one. */
export interface MapLevel {
  readonly stride: number;
  readonly width: number;
}

/** Where something is visible on a map of this stride, [B, ...S, 1]: 1 there, 0 where a mask hides it. */
export type Kept = (stride: number) => Tensor;

/** Maps of an array whose cells a mask may hide. */
export interface Maps<P extends Params = Params, T extends ParameterTree = ParameterTree> {
  /** The finest first. */
  levels(p: ValuesOf<P>): readonly MapLevel[];
  /** The kernel that reads the array, by its name among the encoder's weights. */
  reads(p: ValuesOf<P>): string;
  /**
   * What enters in place of hidden cells. `zero`: a cell is what one place of the deepest map has of the array, and stays hidden at every
   * stride. `token`: a cell is what one place of the first map has; a learned vector stands there instead, and from then on nothing
   * tells hidden places from others.
   */
  readonly hiding: Extract<Hiding, "zero" | "token">;
  /** array [B, ...axes, C] -> a map for each level, [B, ...S, D]; of `zero`, zeros where it is hidden. */
  encode(code: Code, p: ValuesOf<P>, w: Weights<T>, array: Tensor, seen: Seen): readonly Tensor[];
  /** Present where each place of the deepest map is one of so many codes. */
  readonly codes?: Codes<P>;
}

/** How places of a map are told by numbers. */
export interface Codes<P extends Params = Params> {
  /** How many there are. */
  count(p: ValuesOf<P>): number;
  /** map [B, ...S, D] -> the code of each place in raster order, int32 [B, N] */
  of(code: Code, p: ValuesOf<P>, map: Tensor): Tensor;
  /** codes int32 [B, N] of so many places along each axis -> the map that has them, [B, ...S, D] */
  map(code: Code, p: ValuesOf<P>, codes: Tensor, counts: readonly number[]): Tensor;
}

/** What an encoder of maps is told besides the array. */
export interface Seen {
  /** null: everything is visible. */
  readonly kept: Kept | null;
  /** Which cells are visible, for an encoder that goes on with those alone; null: everything is. */
  readonly places: Places | null;
  /** What is left out at random; if absent, nothing. */
  readonly drops?: Drops;
}

/** What defines an encoder of maps: of what it is told, and what it gives. */
type MapEncoder<P extends Params, T extends ParameterTree> = Omit<
  Encoder<P, T>,
  "width" | "layers" | "extraTokens" | "encode" | "outputs" | "attention" | "maps"
> & { readonly maps: Maps<P, T> };

/** Its requirements are told of the array alone, whose cells are the grid that others are told of. */
export const defineMapEncoder = <const P extends Params, T extends ParameterTree>(
  encoder: MapEncoder<P, T>,
): Encoder<P, T> => {
  const { maps } = encoder;
  return defineEncoder<P, T>({
    ...encoder,
    width: (p: ValuesOf<P>) => deepest(maps.levels(p)).width,
    layers: () => 1,
    extraTokens: () => 0,
    encode(): never {
      throw new InvariantError(`${encoder.name} gives maps`);
    },
  });
};

/** What an encoder without stages is taken for until its own conditions refuse it. */
const noLevel: MapLevel = { stride: 1, width: 1 };

export const deepest = (levels: readonly MapLevel[]): MapLevel => levels.at(-1) ?? noLevel;

/** Places of an array along each axis that one cell has. */
const cellOf = (levels: readonly MapLevel[], hiding: Hiding): number =>
  (hiding === "zero" ? deepest(levels) : (levels[0] ?? noLevel)).stride;

/** The cells of an array under an encoder of maps; the strides divide it. */
export const cellsUnder = <P extends Params>(
  { levels, hiding }: Pick<Maps<P>, "levels" | "hiding">,
  p: ValuesOf<P>,
  { axes }: ArrayShape,
): Lattice => {
  const stride = cellOf(levels(p), hiding);
  return axes.map(({ name, size }) => ({ name, count: size / stride, size: stride }));
};

/** Of an encoder of maps: its deepest stride divides every axis. */
export const wholeCells = <P extends Params>(
  levels: (p: ValuesOf<P>) => readonly MapLevel[],
  at: keyof P & string,
): Requirement<P, ModelContext> => ({
  name: "whole-cells",
  at,
  doc: "The input consists of whole boxes of what a place of the deepest map has of it.",
  holds: (p, { array }) => array.axes.every(({ size }) => size % deepest(levels(p)).stride === 0),
  say(p, { array }) {
    const { stride } = deepest(levels(p));
    const axis = array.axes.find(({ size }) => size % stride !== 0);
    return `the axis \`${axis?.name}\` has ${axis?.size} places, which is no multiple of the stride ${stride}`;
  },
  help(p, { array }) {
    const { stride } = deepest(levels(p));
    const near = array.axes.map(({ size }) => Math.max(1, Math.round(size / stride)) * stride);
    return `the nearest input of whole cells is ${near.join("x")}`;
  },
});

export const defineEncoder = <const P extends Params, T extends ParameterTree>(encoder: Encoder<P, T>): Encoder<P, T> =>
  ofKind("encoder", encoder);
