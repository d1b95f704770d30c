/** A decoder that begins inside the model's own: behind the first blocks of that it has blocks and a last layer of its own. The student of AED-MAE. */

import type { ModelContext, Requirement } from "../block.js";
import { layerNorm, layerNormParameters, linear, linearParameters } from "../nn/index.js";
import { int, type Params } from "../params.js";
import {
  blockOptions,
  normEpsilon,
  transformerBlocks,
  transformerParams,
  transformerRequirements,
} from "../vision-transformer.js";
import { counted } from "../wording.js";
import { defineDecoder, ofTokens } from "./contract.js";
import { ownPatches, throughBlocks } from "./trunk.js";

const params = {
  after: int({
    min: 1,
    max: 1024,
    default: 1,
    doc: "Blocks of the model's own decoder behind which it begins.",
  }),
  ...transformerParams("decoder"),
  norm_epsilon: normEpsilon,
};

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  {
    name: "as-many-blocks",
    at: "after",
    doc: "The model's own decoder has as many blocks as it begins behind, and attends to all tokens together.",
    holds: (p, { behind }) => behind === null || (behind.blocks !== null && p.after <= behind.blocks),
    say: (p, { behind }) =>
      behind?.blocks === null
        ? "the model's own decoder decodes each lead by itself"
        : `it begins behind ${counted(p.after, "block")} of a decoder that has ${behind?.blocks}`,
    help: (_, { behind }) =>
      behind?.blocks === null ? "remove `each` from the model's decoder" : `write at most ${behind?.blocks}`,
  },
  {
    name: "width-of-the-decoder",
    at: "width",
    doc: "It has the width of the model's own decoder.",
    holds: (p, { behind }) => behind?.width == null || p.width === behind.width,
    say: (p, { behind }) =>
      `it goes on with ${behind?.width} numbers of each token, as the model's own decoder has them, and its width is ${p.width}`,
    help: (_, { behind }) => `write \`width: ${behind?.width}\``,
  },
];

export const branch = defineDecoder({
  name: "branch",
  summary:
    "A decoder that begins behind the first blocks of the model's own decoder, with blocks and a layer of its own.",
  source: "Ristea et al., Self-Distilled Masked Auto-Encoders are Efficient Video Anomaly Detectors, CVPR 2024",
  since: "0.2",
  params,
  requires: [...transformerRequirements, ofTokens, ...requires],
  width: () => null,
  reads: "either",
  readsCoordinates: true,
  padding: true,
  readsDecoder: true,
  parameters: (p, { outputs }) => ({
    decoder_blocks: transformerBlocks(p),
    decoder_norm: layerNormParameters(p.width),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, inputs) {
    const begun = inputs.behind(p.after); // [B, extra + N, Dd]
    const x = throughBlocks(code, p, w.decoder_blocks, begun, inputs);
    const { epsilon } = blockOptions(p);
    const options = epsilon === undefined ? [] : [{ epsilon }];
    const normed = code.let("normed", layerNorm, ownPatches(code, x, inputs), w.decoder_norm, ...options);
    return code.let("prediction", linear, normed, w.decoder_pred);
  },
});
