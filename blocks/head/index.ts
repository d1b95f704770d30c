/** The heads, and the one of a fine-tuned vision transformer. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  droppedFeatures,
  firstToken,
  headParameters,
  layerNorm,
  layerNormParameters,
  linear,
  meanOfFront,
  meanOfPlaces,
  meanToken,
} from "../nn/index.js";
import { choice, int, optional, ratio, type ValuesOf } from "../params.js";
import { patchesOf } from "../sequence.js";
import { featuresFrom } from "../sources.js";
import { normEpsilon } from "../vision-transformer.js";
import { defineHead, type HeadInputs, labelField } from "./contract.js";
import { detector } from "./detector.js";
import { displacement } from "./displacement.js";
import { featureDecoder } from "./feature-decoder.js";
import { partSegmentation } from "./part-segmentation.js";
import { placeValues } from "./place-values.js";
import { segmentation } from "./segmentation.js";
import { predictor, projector, prototypes } from "./vectors.js";

export {
  defineHead,
  defineVectorHead,
  type Head,
  type HeadContext,
  type HeadInputs,
  labelField,
  type VectorContext,
  type VectorInputs,
} from "./contract.js";
export {
  detector,
  displacement,
  featureDecoder,
  partSegmentation,
  placeValues,
  predictor,
  projector,
  prototypes,
  segmentation,
};

const classifierParams = {
  classes: int({ min: 2, max: 1_000_000, doc: "Classes that are told apart." }),
  pool: choice({
    default: "mean",
    options: {
      class_token: "The class token, after the encoder's final normalisation; of a text its first token, [CLS].",
      mean: "The mean of the patches' tokens; the encoder's final normalisation follows it.",
      mean_after_norm: "The mean of the patches' tokens after that normalisation, as Swin's classifiers have it.",
      front:
        "The mean of the tokens in front of the patches, after the encoder's final normalisation: of [CLS] and that of distillation, as AST has it.",
    },
    doc: "What stands for the sample.",
  }),
  norm: optional(
    choice({
      options: { own: "A LayerNorm that is the head's own, as AST has it." },
      doc: "Of what stands for the sample, before the linear layer. If absent, none but the encoder's.",
    }),
  ),
  norm_epsilon: normEpsilon,
  dropout: optional(
    ratio({
      max: 0.99,
      doc: "Share of what stands for the sample that is left out at random in training; if absent, nothing.",
    }),
  ),
  of: featuresFrom,
};

/** What stands for a sample, [B, D]. */
function pooledOf(code: Code, pool: ValuesOf<typeof classifierParams>["pool"], inputs: HeadInputs): Tensor {
  const { tokens, normalize, extra, count, places } = inputs;
  if (pool === "front") return code.let("pooled", meanOfFront, normalize(tokens), { extra });
  if (pool === "class_token") return normalize(code.let("pooled", firstToken, tokens));
  const isNormed = pool === "mean_after_norm";
  const patches = patchesOf(code, "patches", isNormed ? normalize(tokens) : tokens, { extra, count });
  const mean = places ? code.let("pooled", meanOfPlaces, patches, places) : code.let("pooled", meanToken, patches);
  return isNormed ? mean : normalize(mean);
}

/** One linear layer on the class token or on the mean of the patches: the head of a fine-tuned vision transformer. */
export const classifier = defineHead({
  name: "classifier",
  summary:
    "One linear layer on the class token, on the mean of the patches' tokens, or on that of the tokens in front.",
  source:
    "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, appendix A.1; Gong et al., AST: Audio Spectrogram Transformer, Interspeech 2021",
  since: "0.1",
  params: classifierParams,
  requires: [
    {
      name: "class-token",
      at: "pool",
      doc: "What is pooled is there: a class token, if that is what stands for the image.",
      holds: (p, { extraTokens, array }) =>
        p.pool === "mean" ||
        p.pool === "mean_after_norm" ||
        extraTokens === null ||
        extraTokens > 0 ||
        (p.pool === "class_token" && array.ids !== undefined),
      say: () => "the encoder has no class token to read",
      help: () => "give it one (`class_token: true`), or write `pool: mean`",
    },
    {
      name: "epsilon-of-norm",
      at: "norm_epsilon",
      doc: "`norm_epsilon` is of a norm of the head's own.",
      holds: (p) => p.norm_epsilon === null || p.norm !== null,
      say: () => "the head has no LayerNorm of its own",
      help: () => "write `norm: own`, or remove it",
    },
  ],
  classes: (p) => p.classes,
  parameters: (p, { encoderWidth }) => ({
    ...(p.norm === "own" ? { head_norm: layerNormParameters(encoderWidth) } : {}),
    head: headParameters(encoderWidth, p.classes),
  }),
  drops: ({ dropout }, { encoderWidth }) => (dropout ? [{ rate: dropout, numbers: encoderWidth }] : []),
  classify(code, p, w, inputs) {
    const { drops } = inputs;
    const pooled = pooledOf(code, p.pool, inputs);
    const epsilon = p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];
    const features = w.head_norm ? code.let("features", layerNorm, pooled, w.head_norm, ...epsilon) : pooled; // [B, D]
    const kept =
      drops && p.dropout ? code.let("kept", droppedFeatures, features, drops.values, { first: drops.first }) : features;
    return code.let("logits", linear, kept, w.head);
  },
  field: (p) => labelField(p.classes),
});

export const heads = [
  classifier,
  detector,
  displacement,
  featureDecoder,
  partSegmentation,
  placeValues,
  predictor,
  projector,
  prototypes,
  segmentation,
] as const;
