/** What stands for a sample where a head says one thing of it: a token, or the mean of some. */

import type { Tensor } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import type { Code } from "../code.js";
import { firstToken, meanOfFront, meanOfPlaces, meanToken } from "../nn/index.js";
import { choice, optional, type Params, ratio, type ValuesOf } from "../params.js";
import { patchesOf } from "../sequence.js";
import type { HeadCheck, HeadInputs } from "./contract.js";

/** Parameters of heads that read what stands for a sample. */
export const poolParams = {
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
};

/** Beside it, what of that is left out. */
export const dropoutParams = {
  dropout: optional(
    ratio({
      max: 0.99,
      doc: "Share of what stands for the sample that is left out at random in training; if absent, nothing.",
    }),
  ),
};

/** What is pooled is there. */
export const pooledIsThere: Requirement<typeof poolParams & Params, HeadCheck> = {
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
};

/** What stands for a sample, [B, D]. */
export function pooledOf(code: Code, pool: ValuesOf<typeof poolParams>["pool"], inputs: HeadInputs): Tensor {
  const { tokens, normalize, extra, count, places } = inputs;
  if (pool === "front") return code.let("pooled", meanOfFront, normalize(tokens), { extra });
  if (pool === "class_token") return normalize(code.let("pooled", firstToken, tokens));
  const isNormed = pool === "mean_after_norm";
  const patches = patchesOf(code, "patches", isNormed ? normalize(tokens) : tokens, { extra, count });
  const mean = places ? code.let("pooled", meanOfPlaces, patches, places) : code.let("pooled", meanToken, patches);
  return isNormed ? mean : normalize(mean);
}
