/** The decoder of MultiMAE: the tokens of one input ask, by cross-attention, all that the encoder has seen. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  crossBlock,
  crossBlockParameters,
  joinTokens,
  linear,
  linearParameters,
  takeTokens,
  tokenParameter,
  tokensFrom,
  transformerBlock,
} from "../nn/index.js";
import { int } from "../params.js";
import { latentFrom } from "../sources.js";
import { transformerBlocks, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineDecoder, type LatentInputs, ofTokens, type TokenGroup } from "./contract.js";
import { wholeSequence } from "./trunk.js";

const { width, heads, mlp_ratio } = transformerParams("decoder");

/** What the encoder has seen, of all inputs: the tokens in front, then the visible ones with their places. */
function contextOf(code: Code, whole: Tensor, { extra, groups, joint }: LatentInputs): Tensor {
  const front = extra === 0 ? [] : [code.let("front", tokensFrom, whole, { start: 0, count: extra })];
  const seen: Tensor[] = [];
  if (joint) {
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    seen.push(takeSeen(code, whole, { start: extra, count }, joint.visible));
  } else {
    let start = extra;
    for (const { count, places, visible } of groups) {
      if (visible === 0) continue;
      seen.push(
        places
          ? takeSeen(code, whole, { start, count }, places.visible)
          : code.let("seen", tokensFrom, whole, { start, count }),
      );
      start += count;
    }
  }
  return [...front, ...seen].reduce((first, second) => code.let("context", joinTokens, first, second));
}

const takeSeen = (
  code: Code,
  whole: Tensor,
  range: { readonly start: number; readonly count: number },
  visible: unknown,
): Tensor => code.let("seen", takeTokens, code.let("patches", tokensFrom, whole, range), visible);

export const queries = defineDecoder({
  name: "queries",
  summary: "The tokens of one input ask all visible tokens by cross-attention; a light transformer follows.",
  source: "Bachmann et al., MultiMAE: Multi-modal Multi-task Masked Autoencoders, ECCV 2022, section 3.3",
  since: "0.1",
  params: {
    depth: int({ min: 0, max: 1024, default: 2, doc: "Transformer blocks after the cross-attention; 0: none." }),
    width: { ...width, default: 256 },
    heads: { ...heads, default: 8 },
    mlp_ratio,
    of: latentFrom,
  },
  requires: [...transformerRequirements, ofTokens],
  width: (p) => p.width,
  parameters: (p, { encoderWidth, outputs, inputs }) => ({
    proj_context: linearParameters(encoderWidth, p.width),
    mask_token: tokenParameter(p.width),
    task_embeddings: Object.fromEntries(inputs.map((input) => [input, tokenParameter(p.width)])),
    ...crossBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio }),
    ...(p.depth > 0 ? { decoder_transformer: transformerBlocks(p) } : {}),
    out_proj: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, inputs) {
    const { extra, groups, own } = inputs;
    const tokens = code.let("narrow", linear, inputs.latent, w.proj_context);
    const marks = w.task_embeddings as Readonly<Record<string, Tensor>>;
    const marked = groups.map((group): TokenGroup => ({ ...group, mark: marks[group.input ?? ""] ?? null }));
    const whole = wholeSequence(code, tokens, w.mask_token, { ...inputs, groups: marked });
    const start = groups.slice(0, own).reduce((sum, group) => sum + group.count, extra);
    const asking = code.let("queries", tokensFrom, whole, { start, count: inputs.count });
    const context = contextOf(code, whole, inputs);
    const told = code.let("told", crossBlock, asking, context, w, { heads: p.heads });
    const x = w.decoder_transformer
      ? code.fold("x", w.decoder_transformer, told, transformerBlock, { heads: p.heads })
      : told;
    return code.let("prediction", linear, x, w.out_proj);
  },
});
