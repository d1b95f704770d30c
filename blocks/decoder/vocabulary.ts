/** The output layer of BERT: a logit of each id, by the table that ids are looked up in. */

import { invariant } from "../../graph/index.js";
import { idBias, layerNormParameters, normalLinearParameters, tiedLogits, transformTokens } from "../nn/index.js";
import { patchesOf } from "../sequence.js";
import { normEpsilon } from "../vision-transformer.js";
import { defineDecoder } from "./contract.js";

export const vocabulary = defineDecoder({
  name: "vocabulary",
  summary:
    "A linear layer, GELU and LayerNorm; then the likeness to each row of the table of embeddings, which is the encoder's own.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, appendix A.1",
  since: "0.2",
  params: { norm_epsilon: normEpsilon },
  width: () => null,
  headWidth: () => 0,
  reads: "every",
  padding: true,
  predicts: "ids",
  parameters: (_, { encoderWidth, outputs }) => ({
    decoder_transform: normalLinearParameters(encoderWidth, encoderWidth),
    decoder_norm: layerNormParameters(encoderWidth),
    decoder_bias: idBias(outputs),
  }),
  decode(code, p, w, inputs) {
    const { table } = inputs;
    invariant(table, "the checker lets through only tokens with a table here");
    const patches = patchesOf(code, "patches", inputs.latent, inputs);
    const { decoder_transform, decoder_norm, decoder_bias } = w;
    const options = p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];
    const transformed = code.let("transformed", transformTokens, patches, decoder_transform, decoder_norm, ...options);
    return code.let("prediction", tiedLogits, transformed, table, decoder_bias);
  },
});
