/** The vision transformer as an encoder of visible tokens. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  blockAttention,
  layerNorm,
  layerNormParameters,
  prependClassToken,
  tokenParameter,
  transformerBlock,
} from "../nn/index.js";
import { flag } from "../params.js";
import { keyBias, transformerBlocks, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineEncoder } from "./contract.js";

/** Tokens [B, V, D] with the class token in front, where there is one, [B, extra + V, D]. */
const sequenceOf = (
  code: Code,
  w: { readonly cls_token?: Tensor | undefined },
  tokens: Tensor,
  positions: Tensor,
): Tensor => (w.cls_token ? code.let("sequence", prependClassToken, tokens, w.cls_token, positions) : tokens);

/** What some of the blocks make of a sequence, one after the other. */
const through = (code: Code, blocks: readonly unknown[], sequence: Tensor, heads: number): Tensor =>
  blocks.length === 0 ? sequence : code.fold("x", blocks, sequence, transformerBlock, { heads });

export const vit = defineEncoder({
  name: "vit",
  summary: "A vision transformer over the visible tokens: pre-norm blocks, exact GELU, a final LayerNorm.",
  source: "Dosovitskiy et al., ICLR 2021; He et al., CVPR 2022, appendix A.1",
  since: "0.1",
  params: {
    ...transformerParams("encoder"),
    class_token: flag({ default: true, doc: "Put a learned [CLS] token in front of the patches." }),
    key_bias: keyBias,
  },
  requires: transformerRequirements,
  width: (p) => p.width,
  layers: (p) => p.depth,
  extraTokens: (p) => (p.class_token ? 1 : 0),
  parameters: (p) => ({
    ...(p.class_token ? { cls_token: tokenParameter(p.width) } : {}),
    blocks: transformerBlocks(p),
    norm: layerNormParameters(p.width),
  }),
  encode(code, p, w, tokens, positions) {
    const x = through(code, w.blocks, sequenceOf(code, w, tokens, positions), p.heads);
    return code.let("latent", layerNorm, x, w.norm);
  },
  outputs(code, p, w, tokens, positions, count) {
    const sequence = sequenceOf(code, w, tokens, positions);
    const options = { heads: p.heads };
    if (count === 1) return [code.fold("deep", w.blocks, sequence, transformerBlock, options)];
    const x = through(code, w.blocks.slice(0, p.depth - count), sequence, p.heads);
    const given: Tensor[] = [];
    for (const block of w.blocks.slice(p.depth - count)) {
      given.push(code.let("deep", transformerBlock, given.at(-1) ?? x, block, options));
    }
    return given;
  },
  attention(code, p, w, tokens, positions, layer) {
    const sequence = sequenceOf(code, w, tokens, positions);
    const x = through(code, w.blocks.slice(0, layer - 1), sequence, p.heads);
    return code.let("attention", blockAttention, x, w.blocks[layer - 1], { heads: p.heads });
  },
  normalize: (code, _, w, tokens) => code.let("renormalized", layerNorm, tokens, w.norm),
});
