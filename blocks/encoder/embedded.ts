/** No network at all: tokens as they are embedded, for what asks them itself. */

import { layerNorm, layerNormParameters } from "../nn/index.js";
import { int } from "../params.js";
import { normEpsilon } from "../vision-transformer.js";
import { defineEncoder } from "./contract.js";

export const embedded = defineEncoder({
  name: "embedded",
  summary: "A LayerNorm of each token with its position and nothing else: for latents that ask the tokens themselves.",
  source: "Jaegle et al., Perceiver IO: A General Architecture for Structured Inputs & Outputs, ICLR 2022",
  since: "0.2",
  params: {
    width: int({ min: 1, max: 65_536, doc: "Features of a token." }),
    norm_epsilon: normEpsilon,
  },
  width: (p) => p.width,
  layers: () => 1,
  extraTokens: () => 0,
  padding: true,
  parameters: (p) => ({ embed_norm: layerNormParameters(p.width) }),
  encode: (code, p, w, tokens) =>
    code.let(
      "even",
      layerNorm,
      tokens,
      w.embed_norm,
      ...(p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }]),
    ),
});
