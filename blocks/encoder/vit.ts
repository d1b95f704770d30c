/** The vision transformer as an encoder of visible tokens. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  addLeads,
  addPositions,
  blockAttention,
  droppingBlocks,
  type LayerNormParameters,
  layerNorm,
  layerNormParameters,
  normedBlock,
  normedBlockParameters,
  paddingAround,
  placedBlock,
  prependClassToken,
  prependSeparators,
  prependToken,
  prependTwoTokens,
  repeat,
  tokenParameter,
  tokensParameter,
  transformerBlock,
  turnedAttention,
  turnedBlock,
} from "../nn/index.js";
import { choice, flag, optional, ratio, type ValuesOf } from "../params.js";
import { axesText, isByLead, leadsOf } from "../sets.js";
import { readFrom } from "../sources.js";
import {
  blockOptions,
  keyBias,
  normEpsilon,
  qkvBias,
  transformerBlocks,
  transformerFacts,
  transformerParams,
  transformerRequirements,
} from "../vision-transformer.js";
import { defineEncoder, type TokenOrigin } from "./contract.js";

/** What stands in front of the patches, if anything. */
interface FrontWeights {
  readonly cls_token?: Tensor | undefined;
  readonly dist_token?: Tensor | undefined;
  readonly sep_token?: Tensor | undefined;
  readonly lead_embed?: Tensor | undefined;
}

/** Tokens [B, V, D] with what stands in front of them, [B, extra + V, D]. */
function sequenceOf(code: Code, w: FrontWeights, tokens: Tensor, { positions }: TokenOrigin): Tensor {
  if (w.sep_token) return code.let("sequence", prependSeparators, tokens, w.sep_token, w.lead_embed);
  if (!w.cls_token) return tokens;
  if (w.dist_token && positions)
    return code.let("sequence", prependTwoTokens, tokens, w.cls_token, w.dist_token, positions);
  if (positions) return code.let("sequence", prependClassToken, tokens, w.cls_token, positions);
  const behind = w.dist_token ? code.let("sequence", prependToken, tokens, w.dist_token) : tokens;
  return code.let("sequence", prependToken, behind, w.cls_token);
}

interface FrontValues {
  readonly class_token: boolean;
  readonly distillation_token: boolean | null;
}

const tokensInFront = (p: FrontValues): number => (p.class_token ? 1 : 0) + (p.distillation_token ? 1 : 0);

/** What it is told of its tokens, with those in front of them. */
const withFront = (code: Code, p: FrontValues, seen: TokenOrigin): TokenOrigin => {
  const front = tokensInFront(p);
  return front > 0 && seen.padding
    ? { ...seen, padding: code.let("padding", paddingAround, seen.padding, { front }) }
    : seen;
};

/** A norm of an encoder by its name. */
const normIn = (w: object, name: string): unknown => (w as Readonly<Record<string, unknown>>)[name];

const params = {
  ...transformerParams("encoder"),
  class_token: flag({ default: true, doc: "Put a learned [CLS] token in front of the patches." }),
  distillation_token: optional(
    flag({
      doc: "Put a second learned token behind [CLS], as DeiT has it for what a teacher says, and AST. If absent, there is none.",
    }),
  ),
  separators: optional(
    choice({
      options: {
        lead: "A learned vector of its lead is added to each token, and two learned separators stand for each lead, as in ST-MEM.",
      },
      doc: "What tells the leads of a signal apart; if absent, positions alone.",
    }),
  ),
  key_bias: keyBias,
  qkv_bias: qkvBias,
  norm: optional(
    choice({
      options: { none: "What the last block gives is the latent." },
      doc: "What ends the encoder; if absent, a LayerNorm.",
    }),
  ),
  norms: optional(
    choice({
      options: {
        by_input: "An input that passes alone has norms of its own, as in CAV-MAE; all together have others.",
      },
      doc: "Of an encoder of several inputs, whose norms they pass; if absent, all pass the same ones.",
    }),
  ),
  norm_epsilon: normEpsilon,
  drop_path: optional(
    ratio({
      max: 0.99,
      doc: "How often, in training, a sample passes the last block without its attention, or without its perceptron; in the first block never, and between them in equal steps. If absent, never.",
    }),
  ),
  of: readFrom,
};

type Values = ValuesOf<typeof params>;

/** What some of the blocks make of a sequence, one after the other. */
function through(
  code: Code,
  p: Values,
  blocks: readonly unknown[],
  sequence: Tensor,
  { input, drops, padding, again, turned }: TokenOrigin,
  name = "x",
): Tensor {
  const bias = padding ? [padding] : [];
  if (blocks.length === 0) return sequence;
  const turns = turned?.turns(p.width / p.heads);
  if (drops && p.drop_path) {
    const kind = input !== null && p.norms === "by_input" ? { kind: input } : {};
    const options = { ...blockOptions(p), first: drops.first, ...kind, ...turned?.options };
    const beside = turns ? [padding, again ?? null, turns] : again ? [padding, again] : bias;
    return code.let(name, droppingBlocks, sequence, blocks, drops.values, options, ...beside);
  }
  if (turned) {
    return code.fold(name, blocks, sequence, turnedBlock, turns, { ...blockOptions(p), ...turned.options }, ...bias);
  }
  if (again) return code.fold(name, blocks, sequence, placedBlock, again, blockOptions(p));
  return input !== null && p.norms === "by_input"
    ? code.fold(name, blocks, sequence, normedBlock, { ...blockOptions(p), kind: input }, ...bias)
    : code.fold(name, blocks, sequence, transformerBlock, blockOptions(p), ...bias);
}

/** `norm`, or the one of an input that passes alone. */
const normName = (p: Values, input: string | null): string =>
  input !== null && p.norms === "by_input" ? `norm_${input}` : "norm";

const normOptions = (p: Values): readonly { readonly epsilon: number }[] =>
  p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }];

/** The weights of the blocks: with norms for each input, of an encoder of several that has them. */
const blocksOf = (p: Values, inputs: readonly string[]) =>
  p.norms === "by_input" && inputs.length > 0
    ? repeat(
        p.depth,
        normedBlockParameters({
          width: p.width,
          hidden: p.width * p.mlp_ratio,
          kinds: inputs,
          ...(p.key_bias === false ? { keyBias: false } : {}),
          ...(p.qkv_bias === false ? { qkvBias: false } : {}),
        }),
      )
    : transformerBlocks(p);

/** The norms that end it, by name. */
const normsOf = (p: Values, inputs: readonly string[]): Readonly<Record<string, LayerNormParameters<number>>> =>
  Object.fromEntries(
    p.norm === "none"
      ? []
      : [null, ...(p.norms === "by_input" ? inputs : [])].map((input) => [
          normName(p, input),
          layerNormParameters(p.width),
        ]),
  );

export const vit = defineEncoder({
  name: "vit",
  summary: "A vision transformer over the visible tokens: pre-norm blocks, exact GELU, a final LayerNorm.",
  source: "Dosovitskiy et al., ICLR 2021; He et al., CVPR 2022, appendix A.1",
  since: "0.1",
  params,
  requires: [
    ...transformerRequirements,
    {
      name: "drop-path-of-the-model",
      at: "drop_path",
      doc: "`drop_path` is of an encoder of the model, and not of one in the braces of a target.",
      holds: (p, { inner }) => !p.drop_path || !inner,
      say: (p) => `a \`drop_path\` of ${p.drop_path}, and this encoder stands in the braces of a target`,
      help: () => "remove it",
    },
    {
      name: "behind-class-token",
      at: "distillation_token",
      doc: "A token of distillation stands behind a class token.",
      holds: (p) => !p.distillation_token || p.class_token,
      say: () => "there is no class token in front of it",
      help: () => "write `class_token: true`, or remove `distillation_token`",
    },
    {
      name: "leads-in-order",
      at: "separators",
      doc: "Separators stand between the leads of one signal, whose tokens lie lead by lead.",
      holds: (p, { grid, inputs, inner }) => p.separators === null || (isByLead(grid) && (inputs ?? 1) <= 1 && !inner),
      say: (_, { grid, inputs, inner }) =>
        inner
          ? "this encoder stands in the braces of a target"
          : (inputs ?? 1) > 1
            ? `the model reads ${inputs} inputs`
            : `the tokens lie along ${axesText(grid)}, and each has all leads or there are none`,
      help: () => "cut windows of single leads, such as `patch(size: 1x75)` of a `signal`, or remove `separators`",
    },
    {
      name: "separators-or-class-token",
      at: "separators",
      doc: "A class token and separators are not both in front.",
      holds: (p) => p.separators === null || !p.class_token,
      say: () => "a class token stands in front of the patches, where separators would stand",
      help: () => "write `class_token: false`",
    },
  ],
  width: (p) => p.width,
  layers: (p) => p.depth,
  extraTokens: tokensInFront,
  padding: true,
  separators: (p, grid) => (p.separators === null ? 0 : 2 * leadsOf(grid)),
  readsCoordinates: true,
  headWidth: (p) => p.width / p.heads,
  // One number for each of the two residuals of a block, as in the official fine-tuning of MAE.
  drops({ depth, drop_path }) {
    if (!drop_path) return [];
    return Array.from({ length: depth }, (_, i) => ({ rate: (drop_path * i) / Math.max(1, depth - 1), numbers: 2 }));
  },
  transformer: (p) =>
    p.norm === null && p.norms === null && p.separators === null && p.qkv_bias !== false && !p.distillation_token
      ? transformerFacts(p, p.class_token ? "own" : "none")
      : null,
  parameters: (p, { inputs, grid }) => ({
    ...(p.class_token ? { cls_token: tokenParameter(p.width) } : {}),
    ...(p.distillation_token ? { dist_token: tokenParameter(p.width) } : {}),
    ...(p.separators === null
      ? {}
      : { lead_embed: tokensParameter(leadsOf(grid), p.width), sep_token: tokenParameter(p.width) }),
    blocks: blocksOf(p, inputs),
    ...normsOf(p, inputs),
  }),
  mark: (code, p, w, tokens) =>
    p.separators === null ? tokens : code.let("marked", addLeads, tokens, w.lead_embed as Tensor<[1, number, number]>),
  encode(code, p, w, tokens, seen) {
    const x = through(code, p, w.blocks, sequenceOf(code, w, tokens, seen), withFront(code, p, seen));
    return p.norm === "none"
      ? x
      : code.let("latent", layerNorm, x, normIn(w, normName(p, seen.input)), ...normOptions(p));
  },
  outputs(code, p, w, tokens, origin, count) {
    const sequence = sequenceOf(code, w, tokens, origin);
    const seen = withFront(code, p, origin);
    if (count === 1) return [through(code, p, w.blocks, sequence, seen, "deep")];
    const x = through(code, p, w.blocks.slice(0, p.depth - count), sequence, seen);
    const given: Tensor[] = [];
    const { again, turned } = seen;
    const [layer, ...placing] = turned
      ? [turnedBlock, turned.turns(p.width / p.heads)]
      : again
        ? [placedBlock, again]
        : [transformerBlock];
    const options = { ...blockOptions(p), ...turned?.options };
    const bias = seen.padding ? [seen.padding] : [];
    for (const [i, block] of w.blocks.entries()) {
      if (i < p.depth - count) continue;
      const entered = given.at(-1) ?? x;
      // Two numbers for each block.
      const drops = seen.drops && { drops: { ...seen.drops, first: seen.drops.first + 2 * i } };
      given.push(
        drops && p.drop_path
          ? through(code, p, w.blocks.slice(i, i + 1), entered, { ...seen, ...drops }, "deep")
          : code.let("deep", layer, entered, block, ...placing, options, ...bias),
      );
    }
    return given;
  },
  attention(code, p, w, tokens, origin, layer) {
    const sequence = sequenceOf(code, w, tokens, origin);
    const seen = withFront(code, p, origin);
    const before = through(code, p, w.blocks.slice(0, layer - 1), sequence, seen);
    const { again, turned } = seen;
    const x = again ? code.let("placed", addPositions, before, again, { extra: 0 }) : before;
    const [read, ...turns] = turned ? [turnedAttention, turned.turns(p.width / p.heads)] : [blockAttention];
    const options = { ...blockOptions(p), ...turned?.options };
    return code.let(
      "attention",
      read,
      x,
      w.blocks[layer - 1],
      ...turns,
      options,
      ...(seen.padding ? [seen.padding] : []),
    );
  },
  normalize: (code, p, w, tokens, seen) =>
    p.norm === "none"
      ? tokens
      : code.let("renormalized", layerNorm, tokens, normIn(w, normName(p, seen.input)), ...normOptions(p)),
});
