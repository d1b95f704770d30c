/** The heads, and the one of a fine-tuned vision transformer. */

import { droppedFeatures, headParameters, layerNorm, layerNormParameters, linear } from "../nn/index.js";
import { choice, int, optional } from "../params.js";
import { featuresFrom } from "../sources.js";
import { normEpsilon } from "../vision-transformer.js";
import { defineHead, labelField } from "./contract.js";
import { detector } from "./detector.js";
import { displacement } from "./displacement.js";
import { featureDecoder } from "./feature-decoder.js";
import { partSegmentation } from "./part-segmentation.js";
import { placeValues } from "./place-values.js";
import { dropoutParams, pooledIsThere, pooledOf, poolParams } from "./pool.js";
import { regressor } from "./regressor.js";
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
  regressor,
  segmentation,
};

const classifierParams = {
  classes: int({ min: 2, max: 1_000_000, doc: "Classes that are told apart." }),
  ...poolParams,
  norm: optional(
    choice({
      options: { own: "A LayerNorm that is the head's own, as AST has it." },
      doc: "Of what stands for the sample, before the linear layer. If absent, none but the encoder's.",
    }),
  ),
  norm_epsilon: normEpsilon,
  ...dropoutParams,
  of: featuresFrom,
};

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
    pooledIsThere,
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
  regressor,
  segmentation,
] as const;
