/** The predictor of I-JEPA: a light transformer that predicts each block of hidden patches by itself, beside all that the encoder has seen. */

import { invariant, type Tensor } from "../../graph/index.js";
import {
  besideEachBlock,
  blocksTogether,
  joinTokens,
  layerNorm,
  linear,
  linearParameters,
  takeBlocks,
  takeTokens,
  tokensFrom,
  transformerBlock,
} from "../nn/index.js";
import { patchesOf } from "../sequence.js";
import { latentFrom } from "../sources.js";
import { blockOptions, normEpsilon, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder, ofTokens } from "./contract.js";
import { trunkParameters, wholeSequence } from "./trunk.js";

export const blockVit = defineDecoder({
  name: "block_vit",
  summary: "A light transformer that predicts each of a mask's blocks by itself, from what the encoder has seen.",
  source:
    "Assran et al., Self-Supervised Learning from Images with a Joint-Embedding Predictive Architecture, CVPR 2023, section 3",
  since: "0.2",
  params: { ...transformerParams("decoder"), norm_epsilon: normEpsilon, of: latentFrom },
  requires: [
    ...transformerRequirements,
    ofTokens,
    {
      name: "one-input",
      at: null,
      doc: "The model reads one input.",
      holds: (_, { inputs }) => inputs === 1,
      say: (_, { inputs }) => `it predicts blocks of one input, and the model reads ${inputs}`,
      help: () => "use another decoder, such as `vit`",
    },
  ],
  width: (p) => p.width,
  byBlocks: true,
  parameters: (p, { encoderWidth, outputs }) => ({
    ...trunkParameters(p, encoderWidth, false),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, inputs) {
    const { blocks, places, extra, count } = inputs;
    invariant(blocks && places, "the checker lets it stand only under a mask that has blocks");
    const narrow = code.let("narrow", linear, inputs.latent, w.decoder_embed);
    const whole = wholeSequence(code, narrow, w.mask_token, inputs); // [B, extra + N, Dd]
    const patches = patchesOf(code, "patches", whole, { extra, count });
    const seen = code.let("seen", takeTokens, patches, places.visible);
    const front = extra === 0 ? null : code.let("front", tokensFrom, whole, { start: 0, count: extra });
    const context = front ? code.let("context", joinTokens, front, seen) : seen; // [B, extra + V, Dd]
    const sizes = { blocks: blocks.blocks, tokens: blocks.tokens };
    const wanted = code.let("asked", takeBlocks, patches, blocks.places, sizes); // [B, M K, Dd]
    const sequences = code.let("sequences", besideEachBlock, context, wanted, sizes); // [M B, extra + V + K, Dd]
    const x = code.fold("x", w.decoder_blocks, sequences, transformerBlock, blockOptions(p));
    const answers: Tensor = code.let("answers", blocksTogether, x, sizes);
    const options = p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];
    const normed = code.let("normed", layerNorm, answers, w.decoder_norm, ...options);
    return code.let("prediction", linear, normed, w.decoder_pred);
  },
});
