/**
 * Encoders: the network over the visible tokens. Parameters of all blocks of a model are merged into one tree under the
 * names of the official MAE checkpoints; `w` is a block's own part of it.
 */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Drop } from "../program.js";

/** What is known where the weights of an encoder are declared. */
export interface EncoderContext {
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

/** Of what the tokens of a sequence are. */
export interface TokenOrigin {
  /** The table of their positions [1, extra + N, D], of which rows are added to tokens in front; null: those have no place. */
  readonly positions: Tensor | null;
  /** The input that alone is seen, by an encoder of several; null: it sees all that it reads. */
  readonly input: string | null;
  /** What is left out at random; if absent, nothing. */
  readonly drops?: Drops;
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
  /** Present where it leaves out what is behind the end of a text; if absent, it reads inputs of which all tokens count. */
  readonly padding?: true;
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
  normalize?(code: Code, p: ValuesOf<P>, w: Weights<T>, tokens: Tensor): Tensor;
}

export const defineEncoder = <const P extends Params, T extends ParameterTree>(encoder: Encoder<P, T>): Encoder<P, T> =>
  ofKind("encoder", encoder);
