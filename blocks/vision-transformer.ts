/** Parameters and conditions that the encoder and the decoder of ViT form share. */

import type { ArrayShape } from "./arrays.js";
import type { Requirement } from "./block.js";
import { divisorsBeside } from "./divisors.js";
import { repeat, transformerBlockParameters } from "./nn/index.js";
import { flag, int, optional, type Params, real, type ValuesOf } from "./params.js";
import type { Lattice } from "./sets.js";

export const transformerParams = (name: string) => ({
  depth: int({ min: 1, max: 1024, doc: `Transformer blocks of the ${name}.` }),
  width: int({ min: 1, max: 65_536, doc: "Features of a token." }),
  heads: int({ min: 1, max: 1024, doc: "Attention heads; must divide the width." }),
  mlp_ratio: real({
    min: 0,
    openMin: true,
    max: 64,
    default: 4,
    doc: "Hidden features of the perceptron, as a multiple of the width.",
  }),
});

/** What a plain vision transformer is, by which libraries elsewhere know it. */
export interface TransformerFacts {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  /** Features within the perceptron. */
  readonly hidden: number;
  /** Added to the variance in every norm. */
  readonly epsilon: number;
  readonly keyBias: boolean;
  /** `encoder`: the one that the encoder has. */
  readonly classToken: "own" | "encoder" | "none";
}

/** A model that other libraries have too: one input cut into patches, one plain vision transformer over them. */
export interface PlainModel {
  readonly name: string;
  readonly array: ArrayShape;
  /** How it is cut into patches. */
  readonly grid: Lattice;
  readonly encoder: TransformerFacts;
  /** null: it predicts classes. */
  readonly decoder: TransformerFacts | null;
  /** Of a head: classes, and which tokens it reads. */
  readonly head: { readonly classes: number; readonly pool: string } | null;
  /** By what patches of the target are normalised; null: it is no plain one. */
  readonly normalize: string | null;
}

export type TransformerParams = ReturnType<typeof transformerParams>;

/** Numbers that divide `width`, nearest to `heads` on both sides. */
const nearestHeads = (width: number, heads: number): string => divisorsBeside(width, heads).join(" and ");

export const transformerRequirements: readonly Requirement<TransformerParams & Params, unknown>[] = [
  {
    name: "heads-divide-width",
    at: "heads",
    doc: "The number of heads divides the width.",
    holds: (p) => p.width % p.heads === 0,
    say: (p) => `width ${p.width} is not divisible by ${p.heads} heads`,
    help: (p) => `nearest numbers of heads that divide ${p.width}: ${nearestHeads(p.width, p.heads)}`,
  },
  {
    name: "whole-perceptron",
    at: "mlp_ratio",
    doc: "Width times `mlp_ratio` is a whole number.",
    holds: (p) => Number.isInteger(p.width * p.mlp_ratio) && p.width * p.mlp_ratio > 0,
    say: (p) => `the perceptron would have ${p.width} x ${p.mlp_ratio} = ${p.width * p.mlp_ratio} hidden features`,
    help: (p) => `use ${Math.max(1, Math.round(p.width * p.mlp_ratio)) / p.width}`,
  },
];

/** A parameter of transformers whose keys may lack a bias. */
export const keyBias = optional(
  flag({ doc: "Whether keys have a bias, as queries and values have; if absent, they have one." }),
);

/** A parameter of transformers whose attention may have no bias in front of it. */
export const qkvBias = optional(
  flag({
    doc: "Whether queries, keys and values have a bias; if absent, they have one, but for what `key_bias` says.",
  }),
);

/** A parameter of transformers whose norms add another number to the variance than ours do. */
export const normEpsilon = optional(
  real({ min: 0, openMin: true, max: 1, doc: "Added to the variance in every LayerNorm; if absent, 1e-6." }),
);

/** What a transformer block is told. */
export const blockOptions = (p: {
  readonly heads: number;
  readonly norm_epsilon?: number | null;
}): { readonly heads: number; readonly epsilon?: number } => ({
  heads: p.heads,
  ...(p.norm_epsilon == null ? {} : { epsilon: p.norm_epsilon }),
});

/** The weights of `depth` blocks. */
export const transformerBlocks = (
  p: ValuesOf<TransformerParams> & { readonly key_bias?: boolean | null; readonly qkv_bias?: boolean | null },
) =>
  repeat(
    p.depth,
    transformerBlockParameters({
      width: p.width,
      hidden: p.width * p.mlp_ratio,
      ...(p.key_bias === false ? { keyBias: false } : {}),
      ...(p.qkv_bias === false ? { qkvBias: false } : {}),
    }),
  );

/** What a block of these parameters is elsewhere. */
export const transformerFacts = (
  p: ValuesOf<TransformerParams> & { readonly norm_epsilon: number | null; readonly key_bias: boolean | null },
  classToken: TransformerFacts["classToken"],
): TransformerFacts => ({
  depth: p.depth,
  width: p.width,
  heads: p.heads,
  hidden: p.width * p.mlp_ratio,
  epsilon: p.norm_epsilon ?? 1e-6,
  keyBias: p.key_bias !== false,
  classToken,
});
