/** The decoder of MAE: a light transformer, then a linear layer for each patch. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import { layerNorm, linear, linearParameters } from "../nn/index.js";
import type { Weights } from "../parameters.js";
import { choice, flag, optional, type ValuesOf } from "../params.js";
import { axesText, isByLead } from "../sets.js";
import { latentFrom } from "../sources.js";
import {
  keyBias,
  normEpsilon,
  qkvBias,
  transformerFacts,
  transformerParams,
  transformerRequirements,
} from "../vision-transformer.js";
import { counted } from "../wording.js";
import { defineDecoder, ofTokens } from "./contract.js";
import { leadByLead, ownPatches, trunk, trunkParameters } from "./trunk.js";

const params = {
  ...transformerParams("decoder"),
  key_bias: keyBias,
  qkv_bias: qkvBias,
  embed_bias: optional(
    flag({ doc: "Whether the layer from the encoder's width to the decoder's has a bias; if absent, it has one." }),
  ),
  embed: optional(
    choice({
      options: { none: "What the encoder gives enters as it is: both have one width." },
      doc: "What brings the encoder's width to the decoder's. If absent, a linear layer.",
    }),
  ),
  norm_epsilon: normEpsilon,
  class_token: optional(
    choice({
      options: { own: "A learned token of the decoder, as in MAE-ST; that of the encoder stays there." },
      doc: "What stands in front of the patches. If absent, what the encoder has there.",
    }),
  ),
  each: optional(
    choice({
      options: { lead: "Each lead of a signal by itself, between its separators where the encoder has some." },
      doc: "What is decoded by itself; if absent, all tokens together.",
    }),
  ),
  of: latentFrom,
};

type DecoderValues = ValuesOf<typeof params>;

const headParameters = (p: Pick<DecoderValues, "width">, outputs: number) => ({
  decoder_pred: linearParameters(p.width, outputs),
});

type TrunkWeights = Weights<ReturnType<typeof trunkParameters>>;

/** patches [B, N, Dd] -> prediction [B, N, P] */
function predict(
  code: Code,
  p: Pick<DecoderValues, "norm_epsilon">,
  w: TrunkWeights,
  head: Weights<ReturnType<typeof headParameters>>,
  patches: Tensor,
): Tensor {
  const options = p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];
  const normed = code.let("normed", layerNorm, patches, w.decoder_norm, ...options);
  return code.let("prediction", linear, normed, head.decoder_pred);
}

export const vit = defineDecoder({
  name: "vit",
  summary: "A light transformer over all tokens, hidden ones standing as copies of one learned token.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params,
  requires: [
    ...transformerRequirements,
    ofTokens,
    {
      name: "one-width",
      at: "embed",
      doc: "Encoder and decoder have one width where no layer stands between them.",
      holds: (p, { width }) => p.embed === null || p.width === width,
      say: (p, { width }) =>
        `the encoder has ${width} features and the decoder ${p.width}, and no layer stands between`,
      help: (_, { width }) => `write \`width: ${width}\`, or remove \`embed: none\``,
    },
    {
      name: "token-for-token",
      at: "class_token",
      doc: "A decoder of one input has a class token of its own where the encoder has one.",
      holds: (p, { extraTokens, inputs }) => p.class_token === null || (extraTokens === 1 && inputs === 1),
      say: (_, { inputs }) =>
        inputs > 1
          ? "the model reads several inputs, and a decoder's own class token belongs to one"
          : "the encoder has no class token in whose place one of the decoder's own could stand",
      help: (_, { inputs }) =>
        inputs > 1
          ? "remove `class_token: own`"
          : "remove `class_token: own`, or write `class_token: true` in the encoder",
    },
    {
      name: "leads-of-one-signal",
      at: "each",
      doc: "Leads are decoded by themselves where their tokens lie lead by lead, of one signal, and no class token belongs to all of them.",
      holds: (p, { grid, inputs, extraTokens }) =>
        p.each === null || (isByLead(grid) && inputs === 1 && (extraTokens ?? 0) === 0),
      say: (_, { grid, inputs, extraTokens }) =>
        inputs > 1
          ? `the model reads ${inputs} inputs`
          : isByLead(grid)
            ? `the encoder has ${counted(extraTokens ?? 0, "token")} in front, which would belong to no lead`
            : `the tokens lie along ${axesText(grid)}, and each has all leads or there are none`,
      help: () => "cut windows of single leads, such as `patch(size: 1x75)`, with `class_token: false` in the encoder",
    },
  ],
  width: (p) => p.width,
  readsCoordinates: true,
  headWidth: (p) => (p.each === null ? p.width / p.heads : null),
  transformer: (p) =>
    p.embed === null && p.qkv_bias !== false ? transformerFacts(p, p.class_token === "own" ? "own" : "encoder") : null,
  reads: "either",
  padding: true,
  parameters: (p, { encoderWidth, outputs, whole }) => ({
    ...trunkParameters(p, encoderWidth, whole),
    ...headParameters(p, outputs),
  }),
  blocks: {
    count: ({ depth, each }) => (each === null ? depth : null),
    behind(code, p, w, inputs, blocks) {
      const own = w as TrunkWeights;
      return trunk(code, p, { ...own, decoder_blocks: own.decoder_blocks.slice(0, blocks) }, inputs);
    },
  },
  several: {
    parameters: (p: DecoderValues, { encoderWidth, whole }) => trunkParameters(p, encoderWidth, whole),
    head: headParameters,
    decode: trunk,
    predict,
  },
  decode(code, p, w, inputs) {
    const patches =
      p.each === null ? ownPatches(code, trunk(code, p, w, inputs), inputs) : leadByLead(code, p, w, inputs); // [B, N, Dd]
    return predict(code, p, w, w, patches);
  },
});
