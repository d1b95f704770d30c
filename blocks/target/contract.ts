/** Targets: what is predicted for each patch, and how a prediction becomes pixels or a picture. */

import type { Tensor } from "../../graph/index.js";
import { type ArrayShape, isPicture, type NumberKind } from "../arrays.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { BlockValue } from "../block-values.js";
import type { Code } from "../code.js";
import type { Encoder } from "../encoder/index.js";
import type { Field } from "../field.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Picture } from "../program.js";
import type { Logits } from "../saying.js";
import { axesText, type Lattice } from "../sets.js";

export interface TargetContext {
  readonly array: ArrayShape;
  readonly grid: Lattice;
  /** Codes that a token can have, where tokens are such; if absent, they are none. */
  readonly codes?: number;
}

/** What a target is made of. */
export interface TargetInputs {
  /** [B, ...axes, C] */
  readonly array: Tensor;
  /** Of the target that has one, [B, ...field.shape]. */
  readonly field: Tensor | null;
  /**
   * The slow copy of the encoder, on the whole image: what its last `count` layers give for the patches, [B, N, D] each, the
   * deepest last, before the final normalisation or, where they are asked for `normed`, each after it. null: the model has no teacher.
   */
  readonly teacher: ((count: number, normed?: "normed") => readonly Tensor[]) | null;
  /** The same of the network that others have trained. Only of targets that name one. */
  readonly given: (count: number, normed?: "normed") => readonly Tensor[];
  /** What the model's own decoder predicts of the same batch, [B, N, P]. null: the target is made of something else. */
  readonly prediction: (() => Tensor) | null;
  /** The codes of the whole array, int32 [B, N], where tokens are such. */
  readonly codes: () => Tensor;
}

/** What is known where the tokens of a target are made. */
export interface TargetTokensContext extends TargetContext {
  /** Features of a token of the encoder in the target's braces. */
  readonly width: number;
}

export interface TargetTokensInputs {
  /** [B, N, P] */
  readonly target: Tensor;
  /** Of the width of its encoder, [1, extra + N, De]. */
  readonly positions: Tensor;
  /** int32 [B, V] */
  readonly visible: Tensor;
}

export interface Target<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /**
   * What it is, where not amounts: the ids of a text, [B, N, 1], of which logits are predicted; the columns of a table, [B, N, 2], of which a
   * number and logits are; or coordinates of sets of points, which have no order.
   */
  readonly predicts?: Exclude<NumberKind, "amounts" | "faces">;
  /** Which logits are predicted of its zeros and ones; if absent, it has other numbers. */
  readonly logits?: Logits;
  /** The numbers of the array that it is made of; if absent, of the kind that it predicts. */
  readonly madeOf?: NumberKind;
  /**
   * Numbers that are predicted for each patch, P. `width`: features of the model's latent; `predicted`: numbers that the model's own decoder
   * predicts for each patch, of a target that is made of what that predicts.
   */
  outputs(
    p: ValuesOf<P>,
    context: TargetContext & { readonly width: number; readonly predicted: number | null },
  ): number;
  /** What it needs of a sample besides the array. */
  field?(p: ValuesOf<P>, context: TargetContext): Field;
  /** Whether it is made of the codes that tokens are. */
  readonly ofCodes?: true;
  /** Whether it is made of what the teacher gives: the model then has one. */
  readonly fromTeacher?: true;
  /** The network that others have trained and of which it is made, with tokens and positions of its own; if absent, none. */
  network?(p: ValuesOf<P>): BlockValue<Encoder>;
  /** Whether it is made of what the model's own decoder predicts: it is then shown as what that predicts is. */
  readonly fromDecoder?: true;
  /** -> target [B, N, P]; of ids [B, N, 1], of columns [B, N, 2] */
  build(code: Code, p: ValuesOf<P>, inputs: TargetInputs, context: TargetContext): Tensor;
  /** Sequences of tokens that one sample becomes where the target is encoded, B' / B; if absent, one. */
  sequences?(p: ValuesOf<P>): number;
  /** Weights of its own, of a target that is encoded. */
  parameters?(p: ValuesOf<P>, context: TargetTokensContext): T;
  /**
   * Present where a target can be encoded itself, by an encoder in its braces: target [B, N, P], visible [B, V] -> tokens
   * [B', V, De] with positions added. B' is `sequences` times B: the sequences of a sample stand together.
   */
  tokens?(
    code: Code,
    p: ValuesOf<P>,
    w: Weights<T>,
    inputs: TargetTokensInputs,
    context: TargetTokensContext & { readonly extra: number },
  ): Tensor;
  /** Present where a prediction can be brought back to pixels in the graph: prediction [B, N, P] -> [B, N, values of a token]. */
  pixels?(code: Code, p: ValuesOf<P>, prediction: Tensor, inputs: TargetInputs, context: TargetContext): Tensor;
  /** Present where a prediction can be shown as pixels. */
  picture?(p: ValuesOf<P>, context: TargetContext): Picture;
}

export const defineTarget = <const P extends Params, T extends ParameterTree>(target: Target<P, T>): Target<P, T> =>
  ofKind("target", target);

/** Of a target that is made of pictures alone; `why`: what of it has rows and columns. */
export const ofRowsAndColumns = (why: string): Requirement<Params, ModelContext> => ({
  name: "rows-and-columns",
  at: null,
  doc: "The input has rows and columns, and no other axes.",
  holds: (_, { array }) => isPicture(array),
  say: (_, { array }) => `${why}, and the input has ${axesText(array.axes)}`,
  help: () => "use another target, such as `pixels`",
});
