/** Heads: from what the encoder makes of the whole image to a logit for each class. A model with a head hides nothing. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { Field } from "../field.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";

export interface HeadContext {
  /** Features of a token. */
  readonly encoderWidth: number;
}

export interface HeadInputs {
  /** What the encoder's last layer gives for every token of the image, [B, extra + N, D]. */
  readonly tokens: Tensor;
  /** The encoder's final normalisation, on tokens [..., D]. */
  readonly normalize: (tokens: Tensor) => Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches, N. */
  readonly count: number;
}

export interface Head<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** Classes that it tells apart, K. */
  classes(p: ValuesOf<P>): number;
  parameters(p: ValuesOf<P>, context: HeadContext): T;
  /** -> logits [B, K] */
  classify(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: HeadInputs): Tensor;
  /** The labels that training is fed with, [K]: see `labelField`. */
  field(p: ValuesOf<P>): Field;
}

export const defineHead = <const P extends Params, T extends ParameterTree>(head: Head<P, T>): Head<P, T> =>
  ofKind("head", head);

/** A sample's label as [classes] numbers: 1 at its class, 0 elsewhere. */
export const labelField = (classes: number): Field => ({
  shape: [classes],
  dtype: "float32",
  compute({ label }) {
    const values = new Float32Array(classes);
    if (label !== null) values[label] = 1;
    return values;
  },
});
