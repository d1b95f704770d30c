/**
 * What a head is: from what an encoder makes of a whole sample to a logit for each class or a number, to the objects in it, or to what stands at each of
 * its places; while it is trained, of what a mask shows, where there is one. Or to vectors, by which losses compare views of a sample.
 */

import { InvariantError, invariant, type Tensor } from "../../graph/index.js";
import type { ArrayShape } from "../arrays.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import { labelFlags } from "../dataset/contract.js";
import type { DetectorFacts } from "../detection/dense.js";
import type { Drops, MapLevel } from "../encoder/index.js";
import type { Field, FieldContext } from "../field.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Places } from "../places.js";
import type { Drop } from "../program.js";
import type { Saying } from "../saying.js";
import type { Lattice } from "../sets.js";

/** What is known where a head is checked. */
export interface HeadCheck extends ModelContext {
  /** Whether a mask hides anything in the model. */
  readonly masked: boolean;
}

/** An array under a head, and how it is cut into tokens or cells. */
export interface HeadArray {
  readonly array: ArrayShape;
  readonly grid: Lattice;
}

export interface HeadContext {
  /** Features of a token. */
  readonly encoderWidth: number;
  /** Maps of an encoder that gives such, the finest first; null: it gives tokens. */
  readonly levels: readonly MapLevel[] | null;
  /** Layers of the encoder. */
  readonly layers: number;
  /** The arrays that it sees. */
  readonly inputs: readonly HeadArray[];
}

export interface HeadInputs {
  /** What the encoder's last layer gives for every token that it sees, [B, extra + N, D]. */
  readonly tokens: Tensor;
  /** The encoder's final normalisation, on tokens [..., D]. */
  readonly normalize: (tokens: Tensor) => Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches that it sees, N; null: as many as a mask shows. */
  readonly count: number | null;
  /** How the patches of the input lie, where all of them are seen. */
  readonly grid: Lattice;
  /** Of a text, 1 for its tokens and 0 for what is behind its end, [B, N]; null: all count. */
  readonly places: Tensor | null;
  /**
   * Of a head that reads maps: those of the encoder, the finest first and the last one normalised, or the patches of the layers that it reads, laid
   * out as they lie, [B, ...S, D] each; of several arrays beside each other.
   */
  readonly maps: readonly Tensor[];
  /** Whether these are of several sizes. */
  readonly isPyramid: boolean;
  /** What the first of the arrays is. */
  readonly shape: ArrayShape;
  /** The arrays that it sees, [B, ...axes, C]. */
  readonly arrays: readonly Tensor[];
  /** What is left out at random; if absent, nothing. */
  readonly drops?: Drops;
}

/** What is known where the weights of a head of vectors are declared. */
export interface VectorContext {
  /** Features of what it reads. */
  readonly width: number;
  /** How the patches of the input lie, and the tokens in front of them. */
  readonly grid: Lattice;
  readonly extra: number;
}

export interface VectorInputs {
  /** [R, D] of `R` views, or where their patches are compared [R, N, D]; of a head of tokens what its source gives of all, [R, extra + V, D]. */
  readonly x: Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Of a view under a mask, where its tokens are; null: all of them are there. */
  readonly places: Places | null;
}

/** A head of vectors. */
export interface Vectors<P extends Params = Params, T extends ParameterTree = ParameterTree> {
  /** Numbers of each vector. `read`: of those that it reads. */
  width(p: ValuesOf<P>, read: number): number;
  parameters(p: ValuesOf<P>, context: VectorContext): T;
  /** -> [R, width], or of patches [R, N, width]; of a head of tokens [R, extra + N, width] */
  apply(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: VectorInputs): Tensor;
  /** It reads tokens and gives tokens: what stands for a view is taken after it. If absent, it reads vectors. */
  readonly ofTokens?: true;
  /** A teacher has no copy of it, and passes it by: what it reads is what the teacher gives. */
  readonly studentOnly?: true;
}

export interface Head<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, HeadCheck> {
  /** What it says; `classes` where absent. */
  readonly says?: Saying;
  /** Classes that it tells apart, K. */
  classes(p: ValuesOf<P>): number;
  /** Of the places of clouds: how many of these classes are parts of each class of clouds, one after the other; of one number, of all clouds. */
  parts?(p: ValuesOf<P>): readonly number[];
  /** Every layer that it reads has passed the encoder's final normalisation; if absent, the last one alone. */
  readonly normalizesAll?: true;
  /** Present where it reads maps, and no tokens: which layers it reads of an encoder of tokens with so many, from 1. */
  layers?(p: ValuesOf<P>, layers: number): readonly number[];
  parameters(p: ValuesOf<P>, context: HeadContext): T;
  /** What of it is left out at random in training; if absent, nothing. */
  drops?(p: ValuesOf<P>, context: HeadContext): readonly Drop[];
  /** Present where it finds objects: what its places say. */
  detector?(p: ValuesOf<P>, context: FieldContext): DetectorFacts;
  /** -> logits [B, K]; of a detector what each place says, [B, places, numbers]; of places [B, ...axes, K], of where they go [B, ...axes, axes], of their values [B, ...axes, 1]; of a number [B, 1] */
  classify(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: HeadInputs): Tensor;
  /** What training is fed with: labels [K], see `labelField`, of a detector what each place is to say, the class of each place, or its value, the number of a sample; absent, where it needs nothing but arrays. */
  field?(p: ValuesOf<P>, context: FieldContext): Field;
  /** Present where it gives vectors: it is asked for these, and never for classes. */
  readonly vectors?: Vectors<P, T>;
}

/** What defines a head of vectors. */
type VectorHead<P extends Params, T extends ParameterTree> = Omit<
  Head<P, T>,
  "classes" | "parameters" | "classify" | "field" | "detector" | "drops" | "vectors"
> & { readonly vectors: Vectors<P, T> };

export const defineVectorHead = <const P extends Params, T extends ParameterTree>(
  head: VectorHead<P, T>,
): Head<P, T> => {
  const none = (): never => {
    throw new InvariantError(`${head.name} gives vectors`);
  };
  return defineHead<P, T>({ ...head, classes: none, parameters: none, classify: none, field: none });
};

export const defineHead = <const P extends Params, T extends ParameterTree>(head: Head<P, T>): Head<P, T> =>
  ofKind("head", head);

/** The number that the data have of a sample, which training asks for before it begins. */
export const numberField: Field = {
  shape: [1],
  dtype: "float32",
  compute: ({ value }) => {
    invariant(value !== undefined, "samples of a model that learns a number have one");
    return Float32Array.of(value);
  },
};

/** A sample's label as [classes] numbers: 1 at its class or at each of them, 0 elsewhere. */
export const labelField = (classes: number): Field => ({
  shape: [classes],
  dtype: "float32",
  compute: ({ label }) => Float32Array.from(labelFlags([label], classes)),
});
