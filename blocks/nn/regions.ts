/**
 * Layers over the binary maps of several regions. A region's patches are a sequence of their own, so the batch is `regions` times
 * as long: sample by sample, region by region. Values of a patch stand pixel by pixel, the regions of a pixel beside each other.
 */

import type { Builder, Mul, Rows, RowsOf, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import {
  type CrossAttentionParameters,
  crossAttention,
  crossAttentionParameters,
  type SelfAttentionParameters,
  selfAttention,
  selfAttentionParameters,
} from "./attention.js";
import { claim, declarer, layer } from "./layer.js";
import {
  type LayerNormParameters,
  type LinearParameters,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
} from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";
import type { Sequence } from "./tokens.js";

/** How a patch's numbers are divided: `values` pixels of `regions` regions. */
export interface RegionSizes<S extends number, R extends number> {
  readonly values: S;
  readonly regions: R;
}

/** maps [B, N, S R] -> [B R, N, S]: each region's patches as a sequence. */
export const splitRegions = layer(
  "splitRegions",
  <N extends number, const S extends number, const R extends number>(
    g: Builder,
    maps: Tensor<["B", N, Mul<S, R>]>,
    o: RegionSizes<S, R>,
  ): Tensor<[RowsOf<R>, N, S]> => {
    const [batch, tokens] = maps.shape as [number, number, number];
    const parts = g.transpose(g.reshape(maps, [batch, tokens, o.values, o.regions]), [0, 3, 1, 2]); // [B, R, N, S]
    return claim(g.reshape(parts, [batch * o.regions, tokens, o.values]));
  },
);

/** The inverse of `splitRegions`: [B R, N, S] -> [B, N, S R]. */
export const joinRegions = layer(
  "joinRegions",
  <N extends number, const S extends number, const R extends number>(
    g: Builder,
    maps: Tensor<[RowsOf<R>, N, S]>,
    o: RegionSizes<S, R>,
  ): Tensor<["B", N, Mul<S, R>]> => {
    const [batch, tokens] = maps.shape as [number, number, number];
    const parts = g.transpose(g.reshape(maps, [batch / o.regions, o.regions, tokens, o.values]), [0, 2, 3, 1]);
    return claim(g.reshape(parts, [batch / o.regions, tokens, o.values * o.regions]));
  },
);

/** Zeros and ones [B, N, S] -> tokens [B, N, D]: a linear layer on the maps less a half. */
export const embedMaps = layer(
  "embedMaps",
  <B extends Rows, N extends number, S extends number, D extends number>(
    g: Builder,
    maps: Tensor<[B, N, S]>,
    w: { readonly weight: Tensor<[D, NoInfer<S>]>; readonly bias: Tensor<[NoInfer<D>]> },
  ): Tensor<[B, N, D]> => linear(g, g.sub(maps, 0.5), w),
);

/**
 * tokens [B R, V, D] + the positions [1, extra + N, D] of the visible patches [B, V]: each region of a sample sees the same
 * patches.
 */
export const addVisiblePositions = layer(
  "addVisiblePositions",
  <B extends Rows, V extends number, D extends number, const E extends number, const N extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    positions: Sequence<1, E, N, NoInfer<D>>,
    visible: Tensor<["B", NoInfer<V>], "int32">,
    o: { readonly extra: E; readonly count: N },
  ): Tensor<[B, V, D]> => {
    const [all, seen, width] = tokens.shape as [number, number, number];
    const batch = visible.shape[0] as number;
    const patches = o.extra === 0 ? positions : g.slice(positions, [0, o.extra, 0], [1, o.count, width]);
    const places = g.takeTokens(claim<["B", number, D]>(g.broadcast(patches, [batch, o.count, width])), visible);
    const parted = g.reshape(tokens, [batch, all / batch, seen, width]);
    return claim(g.reshape(g.add(parted, g.reshape(places, [batch, 1, seen, width])), [all, seen, width]));
  },
);

/** x [B R, D] -> [B, R, D]: the regions of a sample as a sequence. */
export const gatherRegions = layer(
  "gatherRegions",
  <D extends number, const R extends number>(
    g: Builder,
    x: Tensor<[RowsOf<R>, D]>,
    o: { readonly regions: R },
  ): Tensor<["B", R, D]> => {
    const [all, width] = x.shape as [number, number];
    return claim(g.reshape(x, [all / o.regions, o.regions, width]));
  },
);

export type QueryBlockParameters<D extends number, Q extends number, K extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: SelfAttentionParameters<D, Q>;
  readonly norm2: LayerNormParameters<D>;
  readonly cross_attn: CrossAttentionParameters<D, K>;
  readonly norm3: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, H>;
};

export const queryBlockParameters = declarer(
  "queryBlockParameters",
  ({
    width,
    hidden,
  }: {
    readonly width: number;
    readonly hidden: number;
  }): QueryBlockParameters<number, number, number, number> => ({
    norm1: layerNormParameters(width),
    attn: selfAttentionParameters(width),
    norm2: layerNormParameters(width),
    cross_attn: crossAttentionParameters(width),
    norm3: layerNormParameters(width),
    mlp: perceptronParameters(width, hidden),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => QueryBlockParameters<D, Mul<3, D>, Mul<2, D>, H>;

/** queries [B, R, D] look at each other, then at memory [B, M, D], then each passes a perceptron; pre-norm, with residuals. */
export const queryBlock = layer(
  "queryBlock",
  <R extends number, D extends number, Q extends number, K extends number, H extends number>(
    g: Builder,
    queries: Tensor<["B", R, D]>,
    w: Weights<QueryBlockParameters<NoInfer<D>, Q, K, H>>,
    memory: Tensor<["B", number, NoInfer<D>]>,
    o: { readonly heads: number },
  ): Tensor<["B", R, D]> => {
    const together = g.add(queries, selfAttention(g, layerNorm(g, queries, w.norm1), w.attn, o.heads));
    const informed = g.add(together, crossAttention(g, layerNorm(g, together, w.norm2), memory, w.cross_attn, o.heads));
    return g.add(informed, perceptron(g, layerNorm(g, informed, w.norm3), w.mlp));
  },
);

export type QueryExpansionParameters<D extends number, Q extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: SelfAttentionParameters<D, Q>;
  readonly proj: LinearParameters<D, D>;
  readonly norm3: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, D>;
};

export const queryExpansionParameters = declarer(
  "queryExpansionParameters",
  (width: number): QueryExpansionParameters<number, number> => ({
    norm1: layerNormParameters(width),
    attn: selfAttentionParameters(width),
    proj: linearParameters(width, width),
    norm3: layerNormParameters(width),
    mlp: perceptronParameters(width, width),
  }),
) as <const D extends number>(width: D) => QueryExpansionParameters<D, Mul<3, D>>;

/**
 * queries [B, R, D] look at each other, then each is added to every patch of memory [B, N, D], projected, and the sum passes a
 * perceptron without residual -> [B, R, N, D].
 */
export const expandQueries = layer(
  "expandQueries",
  <R extends number, N extends number, D extends number, Q extends number>(
    g: Builder,
    queries: Tensor<["B", R, D]>,
    memory: Tensor<["B", N, NoInfer<D>]>,
    w: Weights<QueryExpansionParameters<NoInfer<D>, Q>>,
    o: { readonly heads: number },
  ): Tensor<["B", R, N, D]> => {
    const [batch, regions, width] = queries.shape as [number, number, number];
    const count = memory.shape[1] as number;
    const together = g.add(queries, selfAttention(g, layerNorm(g, queries, w.norm1), w.attn, o.heads));
    const patches = g.reshape(linear(g, memory, w.proj), [batch, 1, count, width]);
    const everywhere = g.broadcast(g.reshape(together, [batch, regions, 1, width]), [batch, regions, count, width]);
    const sum = claim<["B", R, N, D]>(g.add(everywhere, patches));
    return perceptron(g, layerNorm(g, sum, w.norm3), w.mlp);
  },
);

/** expanded [B, R, N, D] -> logits of every region's pixels [B, N, S R]. */
export const predictRegions = layer(
  "predictRegions",
  <R extends number, N extends number, D extends number, S extends number>(
    g: Builder,
    expanded: Tensor<["B", R, N, D]>,
    w: { readonly weight: Tensor<[S, NoInfer<D>]>; readonly bias: Tensor<[NoInfer<S>]> },
  ): Tensor<["B", N, Mul<S, R>]> => {
    const [batch, regions, count] = expanded.shape as [number, number, number, number];
    const logits = g.linear(g.gelu(expanded), w.weight, w.bias); // [B, R, N, S]
    const sorted = g.transpose(logits, [0, 2, 3, 1]); // [B, N, S, R]
    return claim(g.reshape(sorted, [batch, count, (w.weight.shape[0] as number) * regions]));
  },
);

/**
 * seen [B R, V, D] -> [B R, N, D] in raster order, one learned token [1, 1, D] where nothing was seen. restore [B, N] is that of the
 * sample, the same for all of its regions.
 */
export const restoreRegions = layer(
  "restoreRegions",
  <B extends Rows, V extends number, N extends number, D extends number>(
    g: Builder,
    seen: Tensor<[B, V, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    restore: Tensor<["B", N], "int32">,
  ): Tensor<[B, N, D]> => {
    const [all, visible, width] = seen.shape as [number, number, number];
    const [batch, count] = restore.shape as [number, number];
    const regions = all / batch;
    const beside = g.transpose(g.reshape(seen, [batch, regions, visible, width]), [0, 2, 1, 3]); // [B, V, R, D]
    const fill = g.broadcast(g.reshape(token, [1, 1, 1, width]), [batch, count - visible, regions, width]);
    const placed = g.takeTokens(claim<["B", number, number, number]>(g.concat([beside, fill], 1)), restore);
    return claim(g.reshape(g.transpose(placed, [0, 2, 1, 3]), [all, count, width]));
  },
);

/** tokens [B R, N, D] + memory [B, N, D] of the sample, the same for all of its regions. */
export const addMemory = layer(
  "addMemory",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    memory: Tensor<["B", NoInfer<N>, NoInfer<D>]>,
  ): Tensor<[B, N, D]> => {
    const [all, count, width] = tokens.shape as [number, number, number];
    const batch = memory.shape[0] as number;
    const parted = g.reshape(tokens, [batch, all / batch, count, width]);
    return claim(g.reshape(g.add(parted, g.reshape(memory, [batch, 1, count, width])), [all, count, width]));
  },
);
