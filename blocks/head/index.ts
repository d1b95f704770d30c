/** The heads, and the one of a fine-tuned vision transformer. */

import type { Tensor } from "../../graph/index.js";
import { droppedFeatures, firstToken, headParameters, linear, meanOfPlaces, meanToken } from "../nn/index.js";
import { choice, int, optional, ratio } from "../params.js";
import { patchesOf } from "../sequence.js";
import { featuresFrom } from "../sources.js";
import { defineHead, labelField } from "./contract.js";
import { detector } from "./detector.js";
import { displacement } from "./displacement.js";
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
export { detector, displacement, predictor, projector, prototypes, segmentation };

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
    dropout: optional(
      ratio({
        max: 0.99,
        doc: "Share of what stands for the image that is left out at random in training; if absent, nothing.",
      }),
    ),
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
  drops: ({ dropout }, { encoderWidth }) => (dropout ? [{ rate: dropout, numbers: encoderWidth }] : []),
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
      drops && p.dropout ? code.let("kept", droppedFeatures, features, drops.values, { first: drops.first }) : features;
    return code.let("logits", linear, kept, w.head);
  },
  field: (p) => labelField(p.classes),
});

export const heads = [classifier, detector, displacement, predictor, projector, prototypes, segmentation] as const;
