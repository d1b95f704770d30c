/** The transformer of BERT over the tokens of a text. */

import type { Tensor } from "../../graph/index.js";
import type { Layer } from "../code.js";
import {
  layerNorm,
  layerNormParameters,
  postNormBlock,
  postNormBlockParameters,
  repeat,
  turnedPostNormBlock,
} from "../nn/index.js";
import type { ValuesOf } from "../params.js";
import { blockOptions, normEpsilon, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineEncoder, type TokenOrigin } from "./contract.js";

const params = { ...transformerParams("encoder"), norm_epsilon: normEpsilon };

/** The block, and what it is told after its weights. */
function blockFor(p: ValuesOf<typeof params>, { padding, turned }: TokenOrigin): readonly [Layer, ...unknown[]] {
  const behind = padding ? [padding] : [];
  if (!turned) return [postNormBlock, blockOptions(p), ...behind];
  return [turnedPostNormBlock, turned.turns(p.width / p.heads), { ...blockOptions(p), ...turned.options }, ...behind];
}

const normOptions = ({ norm_epsilon }: ValuesOf<typeof params>): readonly { readonly epsilon: number }[] =>
  norm_epsilon === null ? [] : [{ epsilon: norm_epsilon }];

export const bert = defineEncoder({
  name: "bert",
  summary:
    "A transformer with a LayerNorm of its tokens and behind each sum; nothing attends to what is behind the end of a text.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3",
  since: "0.2",
  params,
  requires: transformerRequirements,
  width: (p) => p.width,
  layers: (p) => p.depth,
  extraTokens: () => 0,
  headWidth: (p) => p.width / p.heads,
  padding: true,
  parameters: (p) => ({
    embed_norm: layerNormParameters(p.width),
    blocks: repeat(p.depth, postNormBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
  }),
  encode(code, p, w, tokens, seen) {
    const even = code.let("even", layerNorm, tokens, w.embed_norm, ...normOptions(p));
    return code.fold("latent", w.blocks, even, ...blockFor(p, seen));
  },
  outputs(code, p, w, tokens, seen, count) {
    const even = code.let("even", layerNorm, tokens, w.embed_norm, ...normOptions(p));
    const before = w.blocks.slice(0, p.depth - count);
    const [layer, ...told] = blockFor(p, seen);
    const x = before.length === 0 ? even : code.fold("x", before, even, layer, ...told);
    const given: Tensor[] = [];
    for (const block of w.blocks.slice(p.depth - count)) {
      given.push(code.let("deep", layer, given.at(-1) ?? x, block, ...told));
    }
    return given;
  },
});
