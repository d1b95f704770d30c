/** One linear layer on the class token or on the mean of the patches: the head of a fine-tuned vision transformer. */

import { firstToken, headParameters, linear, meanToken } from "../nn/index.js";
import { choice, int } from "../params.js";
import { patchesOf } from "../sequence.js";
import { defineHead, labelField } from "./contract.js";

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
        class_token: "The class token, after the encoder's final normalisation.",
        mean: "The mean of the patches' tokens; the encoder's final normalisation follows it.",
      },
      doc: "What stands for the image.",
    }),
  },
  requires: [
    {
      name: "class-token",
      at: "pool",
      doc: "What is pooled is there: a class token, if that is what stands for the image.",
      holds: (p, { extraTokens }) => p.pool !== "class_token" || extraTokens === null || extraTokens > 0,
      say: () => "the encoder has no class token to read",
      help: () => "give it one (`class_token: true`), or write `pool: mean`",
    },
  ],
  classes: (p) => p.classes,
  parameters: (p, { encoderWidth }) => ({ head: headParameters(encoderWidth, p.classes) }),
  classify(code, p, w, { tokens, normalize, extra, count }) {
    if (p.pool === "class_token") {
      return code.let("logits", linear, normalize(code.let("pooled", firstToken, tokens)), w.head);
    }
    const patches = patchesOf(code, "patches", tokens, { extra, count }); // [B, N, D]
    return code.let("logits", linear, normalize(code.let("pooled", meanToken, patches)), w.head);
  },
  field: (p) => labelField(p.classes),
});
