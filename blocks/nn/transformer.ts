/**
 * The pre-norm transformer block of ViT: multi-head self-attention and a two-layer perceptron, each with a residual. Beside it the same
 * block with norms of several kinds. Those that ask other tokens are in `asking.ts`.
 */

import { type Builder, invariant, type Mul, type Rows, type Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { attentionWeights, type SelfAttentionParameters, selfAttention, selfAttentionParameters } from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import { type LayerNormParameters, layerNorm, layerNormParameters, normalLinearParameters } from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";
import type { TurnedPairs, Turns } from "./rotary.js";

export type TransformerBlockParameters<D extends number, Q extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: SelfAttentionParameters<D, Q>;
  readonly norm2: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, H>;
};

export const transformerBlockParameters = declarer(
  "transformerBlockParameters",
  (size: {
    readonly width: number;
    readonly hidden: number;
    readonly keyBias?: boolean;
    readonly qkvBias?: boolean;
  }): TransformerBlockParameters<number, number, number> => ({
    norm1: layerNormParameters(size.width),
    attn: selfAttentionParameters(
      size.width,
      size.qkvBias === false ? "none" : size.keyBias === false ? "no key" : "all",
    ),
    norm2: layerNormParameters(size.width),
    mlp: perceptronParameters(size.width, size.hidden),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
  /** If absent, keys have a bias, as queries and values have. */
  readonly keyBias?: boolean;
  /** False: neither queries nor keys nor values have one. */
  readonly qkvBias?: boolean;
}) => TransformerBlockParameters<D, Mul<3, D>, H>;

/** `count` branches of the same form, named by their index. */
export const repeat = declarer("repeat", <T extends object>(count: number, branch: T): readonly T[] =>
  Array.from({ length: count }, () => branch),
) as <T extends object>(count: number, branch: T) => readonly T[];

/** Branches of different forms, named by their index. */
export const series = declarer("series", (...branches: readonly object[]) => branches) as <
  const T extends readonly object[],
>(
  ...branches: T
) => T;

/**
 * x [B, N, D] -> x + Attention(LN x), then + MLP(LN x). Exact GELU; scores scaled by headWidth^-0.5. `epsilon`: of the norms. `bias`, where
 * there is one, is added to the scores.
 */
export const transformerBlock = layer(
  "transformerBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: number; readonly epsilon?: number },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, N, D]> => preNormBlock(g, x, w, o, bias),
);

/** The block, with queries and keys turned where there are `turns`. */
function preNormBlock<B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  w: Weights<TransformerBlockParameters<D, Q, H>>,
  o: { readonly heads: number; readonly epsilon?: number },
  bias?: Tensor,
  turns?: Turns,
): Tensor<[B, N, D]> {
  const attended = g.add(x, selfAttention(g, layerNorm(g, x, w.norm1, o), w.attn, o.heads, bias, turns));
  return g.add(attended, perceptron(g, layerNorm(g, attended, w.norm2, o), w.mlp));
}

/** As `transformerBlock`, of a sequence to which positions are added first, once more in each block. */
export const placedBlock = layer(
  "placedBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    positions: Tensor<[NoInfer<B>, NoInfer<N>, NoInfer<D>]>,
    o: { readonly heads: number; readonly epsilon?: number },
  ): Tensor<[B, N, D]> => transformerBlock(g, g.add(x, positions), w, o),
);

/** What a block is told whose queries and keys are turned. */
interface TurnedOptions {
  readonly heads: number;
  readonly epsilon?: number;
  readonly pairs: TurnedPairs;
  /** Axes of the places by which they are turned. */
  readonly axes: number;
}

/** As `transformerBlock`, with queries and keys turned as `rotaryTurns` says. */
export const turnedBlock = layer(
  "turnedBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    turns: Tensor,
    { pairs, axes, ...o }: TurnedOptions,
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, N, D]> => preNormBlock(g, x, w, o, bias, { turns, pairs, axes }),
);

/** A number of each sample, from a column of drops [B, numbers], for all that is made of it: [B, 1, 1]. */
const ofSample = (g: Builder, drops: Tensor, column: number): Tensor => {
  const samples = drops.shape[0] as number;
  return g.reshape(g.slice(drops, [0, column], [samples, 1]), [samples, 1, 1]);
};

/**
 * x [B, N, D] through blocks whose two residuals are each multiplied by a number of the sample, of drops [B, numbers] from `first` on: 0
 * leaves one out. Without drops none is. `positions`, where there are some, are added before each block; by `turns` queries and keys are turned.
 */
export const droppingBlocks = layer(
  "droppingBlocks",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    blocks: readonly Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>[],
    drops: Tensor<[NoInfer<B>, number]> | undefined,
    {
      first,
      kind,
      pairs,
      axes,
      ...o
    }: { readonly first: number; readonly kind?: string } & Pick<TurnedOptions, "heads" | "epsilon"> &
      Partial<TurnedOptions>,
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]> | null,
    positions?: Tensor<[NoInfer<B>, NoInfer<N>, NoInfer<D>]> | null,
    turns?: Tensor,
  ): Tensor<[B, N, D]> =>
    blocks.reduce<Tensor<[B, N, D]>>((given, block, i) => {
      const before = positions ? g.add(given, positions) : given;
      const w = kind === undefined ? block : withNormsOf(kind, block);
      const turning = turns && pairs && axes ? { turns, pairs, axes } : undefined;
      if (!drops) return preNormBlock(g, before, w, o, bias ?? undefined, turning);
      const attended = selfAttention(g, layerNorm(g, before, w.norm1, o), w.attn, o.heads, bias ?? undefined, turning);
      const between = g.add(before, g.mul(attended, ofSample(g, drops, first + 2 * i)));
      const perceived = perceptron(g, layerNorm(g, between, w.norm2, o), w.mlp);
      return g.add(between, g.mul(perceived, ofSample(g, drops, first + 2 * i + 1)));
    }, x),
);

/** The weights of `postNormBlock`, named as those of `transformerBlock`; matrices start as in BERT. */
export const postNormBlockParameters = declarer(
  "postNormBlockParameters",
  ({
    width,
    hidden,
  }: {
    readonly width: number;
    readonly hidden: number;
  }): TransformerBlockParameters<number, number, number> => ({
    attn: { qkv: normalLinearParameters(width, 3 * width), proj: normalLinearParameters(width, width) },
    norm1: layerNormParameters(width),
    mlp: { fc1: normalLinearParameters(width, hidden), fc2: normalLinearParameters(hidden, width) },
    norm2: layerNormParameters(width),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => TransformerBlockParameters<D, Mul<3, D>, H>;

/**
 * x [B, N, D] -> LN(x + Attention(x)), then LN(x + MLP(x)): the block of the first transformers. `bias`, where there is one, is added to the
 * scores of attention, and broadcasts to [B, heads, N, N].
 */
export const postNormBlock = layer(
  "postNormBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: number; readonly epsilon?: number },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, N, D]> => normedBehind(g, x, w, o, bias),
);

/** The block with norms behind its residuals, with queries and keys turned where there are `turns`. */
function normedBehind<B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
  g: Builder,
  x: Tensor<[B, N, D]>,
  w: Weights<TransformerBlockParameters<D, Q, H>>,
  o: { readonly heads: number; readonly epsilon?: number },
  bias?: Tensor,
  turns?: Turns,
): Tensor<[B, N, D]> {
  const attended = layerNorm(g, g.add(x, selfAttention(g, x, w.attn, o.heads, bias, turns)), w.norm1, o);
  return layerNorm(g, g.add(attended, perceptron(g, attended, w.mlp)), w.norm2, o);
}

/** As `postNormBlock`, with queries and keys turned as `rotaryTurns` says. */
export const turnedPostNormBlock = layer(
  "turnedPostNormBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    turns: Tensor,
    { pairs, axes, ...o }: TurnedOptions,
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, N, D]> => normedBehind(g, x, w, o, bias, { turns, pairs, axes }),
);

/** x [B, N, D] -> what its tokens attend to in a block whose weights these are, [B, heads, N, N]; rows sum to 1. */
export const blockAttention = layer(
  "blockAttention",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number, const A extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    o: { readonly heads: A },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, A, N, N]> => claim(attentionWeights(g, layerNorm(g, x, w.norm1), w.attn, o.heads, bias)),
);

/** As `blockAttention`, of a `turnedBlock`. */
export const turnedAttention = layer(
  "turnedAttention",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>>,
    turns: Tensor,
    { heads, pairs, axes }: TurnedOptions,
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, number, N, N]> =>
    attentionWeights(g, layerNorm(g, x, w.norm1), w.attn, heads, bias, { turns, pairs, axes }),
);

/** `norm1_audio` and `norm2_audio` for a kind `audio`, and so on. */
type NormsOf<D extends number, K extends string> = { readonly [N in `norm${1 | 2}_${K}`]: LayerNormParameters<D> };

export type NormedBlockParameters<
  D extends number,
  Q extends number,
  H extends number,
  K extends string,
> = TransformerBlockParameters<D, Q, H> & NormsOf<D, K>;

interface NormedBlockSize<D extends number, H extends number, K extends string> {
  readonly width: D;
  readonly hidden: H;
  /** Kinds of sequences that have norms of their own, besides those that all others have. */
  readonly kinds: readonly K[];
  /** If absent, keys have a bias, as queries and values have. */
  readonly keyBias?: boolean;
}

/** A transformer block whose norms depend on what passes it, and all of whose other weights do not. */
export const normedBlockParameters = declarer(
  "normedBlockParameters",
  ({
    width,
    hidden,
    kinds,
    ...keys
  }: NormedBlockSize<number, number, string>): NormedBlockParameters<number, number, number, string> => ({
    ...transformerBlockParameters({ width, hidden, ...keys }),
    ...Object.fromEntries(
      kinds.flatMap((kind) => [`norm1_${kind}`, `norm2_${kind}`].map((name) => [name, layerNormParameters(width)])),
    ),
  }),
) as <const D extends number, const H extends number, const K extends string>(
  size: NormedBlockSize<D, H, K>,
) => NormedBlockParameters<D, Mul<3, D>, H, K>;

/** x [B, N, D] -> as `transformerBlock`, with the norms of `kind`. With those of no kind, `transformerBlock` itself passes it. */
export const normedBlock = layer(
  "normedBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number, const K extends string>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<TransformerBlockParameters<NoInfer<D>, Q, H>> & Weights<NormsOf<NoInfer<D>, NoInfer<K>>>,
    o: { readonly heads: number; readonly kind: K; readonly epsilon?: number },
    bias?: Tensor<[NoInfer<B>, 1, 1, NoInfer<N>]>,
  ): Tensor<[B, N, D]> => {
    return transformerBlock(g, x, withNormsOf(o.kind, w), o, bias);
  },
);

/** The weights of a block with the norms of a kind. */
function withNormsOf<D extends number, Q extends number, H extends number>(
  kind: string,
  w: Weights<TransformerBlockParameters<D, Q, H>>,
): Weights<TransformerBlockParameters<D, Q, H>> {
  const own = w as unknown as Readonly<Record<string, Weights<LayerNormParameters<D>>>>;
  const [norm1, norm2] = [own[`norm1_${kind}`], own[`norm2_${kind}`]];
  invariant(norm1 && norm2, `a block without norms of ${kind}`);
  return { ...w, norm1, norm2 };
}
