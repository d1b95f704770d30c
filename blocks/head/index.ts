/** Heads: from what an encoder makes of a whole sample to a logit for each class; while it is trained, of what a mask shows, where there is one. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { Drops } from "../encoder/index.js";
import type { Field } from "../field.js";
import { droppedFeatures, firstToken, headParameters, linear, meanOfPlaces, meanToken } from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { choice, int, type Params, ratio, type ValuesOf } from "../params.js";
import type { Drop } from "../program.js";
import { patchesOf } from "../sequence.js";
import { featuresFrom } from "../sources.js";

export interface HeadContext {
  /** Features of a token. */
  readonly encoderWidth: number;
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
  /** Of a text, 1 for its tokens and 0 for what is behind its end, [B, N]; null: all count. */
  readonly places: Tensor | null;
  /** What is left out at random; if absent, nothing. */
  readonly drops?: Drops;
}

export interface Head<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** Classes that it tells apart, K. */
  classes(p: ValuesOf<P>): number;
  parameters(p: ValuesOf<P>, context: HeadContext): T;
  /** What of it is left out at random in training; if absent, nothing. */
  drops?(p: ValuesOf<P>, context: HeadContext): readonly Drop[];
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

/** One linear layer on the class token or on the mean of the patches: the head of a fine-tuned vision transformer. */
export const classifier = defineHead({
  name: "classifier",
  summary: "One linear layer on the class token, or on the mean of the patches' tokens.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, appendix A.1",
  since: "0.1",
  params: {
    classes: int({ min: 2, max: 1_000_000, doc: "Classes that are told apart." }),
    pool: choice({
      default: "mean",
      options: {
        class_token: "The class token, after the encoder's final normalisation; of a text its first token, [CLS].",
        mean: "The mean of the patches' tokens; the encoder's final normalisation follows it.",
      },
      doc: "What stands for the image.",
    }),
    dropout: ratio({
      max: 0.99,
      default: 0,
      doc: "Share of what stands for the image that is left out at random in training.",
    }),
    of: featuresFrom,
  },
  requires: [
    {
      name: "class-token",
      at: "pool",
      doc: "What is pooled is there: a class token, if that is what stands for the image.",
      holds: (p, { extraTokens, array }) =>
        p.pool !== "class_token" || extraTokens === null || extraTokens > 0 || array.ids !== undefined,
      say: () => "the encoder has no class token to read",
      help: () => "give it one (`class_token: true`), or write `pool: mean`",
    },
  ],
  classes: (p) => p.classes,
  parameters: (p, { encoderWidth }) => ({ head: headParameters(encoderWidth, p.classes) }),
  drops: (p, { encoderWidth }) => (p.dropout === 0 ? [] : [{ rate: p.dropout, numbers: encoderWidth }]),
  classify(code, p, w, { tokens, normalize, extra, count, places, drops }) {
    const patches = (): Tensor => patchesOf(code, "patches", tokens, { extra, count });
    const pooled =
      p.pool === "class_token"
        ? code.let("pooled", firstToken, tokens)
        : places
          ? code.let("pooled", meanOfPlaces, patches(), places)
          : code.let("pooled", meanToken, patches());
    const features = normalize(pooled); // [B, D]
    const kept =
      drops && p.dropout > 0
        ? code.let("kept", droppedFeatures, features, drops.values, { first: drops.first })
        : features;
    return code.let("logits", linear, kept, w.head);
  },
  field: (p) => labelField(p.classes),
});

export const heads = [classifier] as const;
