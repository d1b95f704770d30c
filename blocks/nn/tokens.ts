/** From an array to tokens and back to the full sequence: patches, positions, the places of hidden tokens, and one vector for them all. */

import type { Add, Builder, Mul, Product, Rows, Tensor } from "../../graph/index.js";
import { boxLength, boxOf, countsOf, tokenCount } from "../sets.js";
import { boxesApart, boxesTogether } from "./boxes.js";
import { claim, claimAs, layer } from "./layer.js";
import type { SeparateTables } from "./positions.js";

/** A lattice of tokens as emitted programs write it: literal sizes. */
export type LatticeLiteral = readonly { readonly count: number; readonly size: number; readonly stride?: number }[];

/** Of each axis, what all its tokens have together. */
type Sides<L extends LatticeLiteral> = { -readonly [K in keyof L]: Mul<L[K]["count"], L[K]["size"]> };

/** [B, ...axes, C]. This and what follows in steps of their own: nested arithmetic on open sizes is too deep for the compiler. */
type ArrayOf<B extends Rows, L extends LatticeLiteral, C extends number> =
  Sides<L> extends infer S extends number[] ? Tensor<[B, ...S, C]> : never;

type Counts<L extends LatticeLiteral> = { -readonly [K in keyof L]: L[K]["count"] };
type Boxes<L extends LatticeLiteral> = { -readonly [K in keyof L]: L[K]["size"] };

/** [B, N, values of a token] */
type PatchesOf<B extends Rows, L extends LatticeLiteral, C extends number> =
  Product<Counts<L>> extends infer N extends number
    ? Product<Boxes<L>> extends infer V extends number
      ? Mul<V, C> extends infer P extends number
        ? Tensor<[B, N, P]>
        : never
      : never
    : never;

/**
 * array [B, ...axes, C] -> [B, N, values], raster order, within a token channel fastest, then the last axis: of images the order of
 * official MAE's patchify.
 */
export const patchify = layer(
  "patchify",
  <B extends Rows, const L extends LatticeLiteral, C extends number>(
    g: Builder,
    array: ArrayOf<B, L, C>,
    grid: L,
  ): PatchesOf<B, L, C> => {
    const [batch, channels] = [array.shape[0] as number, array.shape.at(-1) as number];
    const cut = boxesApart(g, array, { counts: countsOf(grid), sides: boxOf(grid) }); // [B, ...counts, ...sizes, C]
    return claimAs(g.reshape(cut, [batch, tokenCount(grid), boxLength(grid) * channels]));
  },
);

/** Values of a token. */
type ValuesOf<L extends LatticeLiteral, C extends number> =
  Product<Boxes<L>> extends infer V extends number ? Mul<V, C> : never;

/** [B, N, D] */
type TokensOf<B extends Rows, L extends LatticeLiteral, D extends number> =
  Product<Counts<L>> extends infer N extends number ? Tensor<[B, N, D]> : never;

/** array [B, ...axes, C] -> [B, N, D]: a linear layer of each patch, where patches lie over one another. */
export const embedOverlapping = layer(
  "embedOverlapping",
  <B extends Rows, const L extends LatticeLiteral, C extends number, D extends number>(
    g: Builder,
    array: Tensor<[B, ...number[], C]>,
    w: { readonly weight: Tensor<[D, ValuesOf<L, NoInfer<C>>]>; readonly bias: Tensor<[NoInfer<D>]> },
    grid: L,
  ): TokensOf<B, L, D> => {
    const [batch, channels] = [array.shape[0] as number, array.shape.at(-1) as number];
    const [width] = w.weight.shape as readonly [number, number];
    const sides = boxOf(grid);
    // [D, ...sides, C] -> [D, C, ...sides], as convolutions have it.
    const apart = g.reshape(w.weight, [width, ...sides, channels]);
    const kernel = g.transpose(apart, [0, sides.length + 1, ...sides.map((_, i) => i + 1)]);
    const none = sides.map(() => 0);
    const strides = grid.map(({ size, stride = size }) => stride);
    const windows = { strides, dilations: sides.map(() => 1), before: none, after: none, groups: 1 };
    const map = g.add(g.conv(array, kernel, windows), w.bias); // [B, ...counts, D]
    return claimAs(g.reshape(map, [batch, tokenCount(grid), width]));
  },
);

/** array [B, T, ...others] -> of its first axis these places, in this order; one may stand there twice. */
export const takeTimes = layer(
  "takeTimes",
  <B extends Rows, T extends number, R extends readonly number[], const L extends readonly number[]>(
    g: Builder,
    array: Tensor<[B, T, ...R]>,
    times: L,
  ): Tensor<[B, L["length"], ...R]> => {
    const [batch, , ...others] = array.shape as readonly number[];
    const rest = others.map(() => 0);
    const taken = times.map((time) => g.slice(array, [0, time, ...rest], [batch as number, 1, ...others]));
    return claim(g.concat(taken, 1));
  },
);

/** patches [B, N, values] -> array [B, ...axes, C]; the inverse of `patchify`. */
export const unpatchify = layer(
  "unpatchify",
  <B extends Rows, const L extends LatticeLiteral, const C extends number>(
    g: Builder,
    patches: PatchesOf<B, L, NoInfer<C>>,
    grid: L,
    o: { readonly channels: C },
  ): ArrayOf<B, L, C> => {
    const batch = patches.shape[0] as number;
    const boxes = { batch, counts: countsOf(grid), sides: boxOf(grid), width: o.channels };
    return claimAs(boxesTogether(g, patches, boxes));
  },
);

/** originals and predictions [B, N, P] -> the original where a patch is visible, the prediction where it is hidden. */
export const fillHidden = layer(
  "fillHidden",
  <B extends Rows, N extends number, P extends number, V extends number, U extends number>(
    g: Builder,
    originals: Tensor<[B, N, P]>,
    predictions: Tensor<[NoInfer<B>, NoInfer<N>, NoInfer<P>]>,
    places: {
      readonly visible: Tensor<[NoInfer<B>, V], "int32">;
      readonly hidden: Tensor<[NoInfer<B>, U], "int32">;
      readonly restore: Tensor<[NoInfer<B>, NoInfer<N>], "int32">;
    },
  ): Tensor<[B, N, P]> => {
    const seen = g.takeTokens(claim<[B, number, P]>(originals), places.visible);
    const filled = g.takeTokens(claim<[B, number, P]>(predictions), places.hidden);
    return claim(g.takeTokens(claim<[B, number, P]>(g.concat([seen, filled], 1)), places.restore));
  },
);

/** The same values; no gradient passes back through them. */
export const detached = layer(
  "detached",
  <B extends Rows, N extends number, D extends number>(g: Builder, x: Tensor<[B, N, D]>): Tensor<[B, N, D]> =>
    claim(g.stopGradient(x)),
);

/** `E` tokens in front of `N` patches. The sum stands in a step of its own: otherwise it is too deep for the compiler. */
export type Sequence<B extends Rows | 1, E extends number, N extends number, D extends number> =
  Add<E, N> extends infer M extends number ? Tensor<[B, M, D]> : never;

interface AddPositions {
  <B extends Rows, N extends number, D extends number, const E extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    positions: Sequence<1, E, N, NoInfer<D>>,
    o: { readonly extra: E },
  ): Tensor<[B, N, D]>;
  /** Of positions of each sample's own. */
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    positions: Tensor<[NoInfer<B>, NoInfer<N>, NoInfer<D>]>,
    o: { readonly extra: 0 },
  ): Tensor<[B, N, D]>;
  /** Of tokens without those in front. */
  <B extends Rows, D extends number, T extends number, S extends number>(
    g: Builder,
    tokens: Tensor<[B, Mul<T, S>, NoInfer<D>]>,
    positions: SeparateTables<T, S, D>,
    o: { readonly extra: number },
  ): Tensor<[B, Mul<T, S>, D]>;
  /** Of all tokens. */
  <B extends Rows, D extends number, T extends number, S extends number, F extends number>(
    g: Builder,
    tokens: Sequence<B, F, Mul<T, S>, NoInfer<D>>,
    positions: SeparateTables<T, S, D> & { readonly class: Tensor<[1, F, D]> },
    o: { readonly extra: 0 },
  ): Sequence<B, F, Mul<T, S>, D>;
}

/** tokens [B, N, D] + rows extra .. extra + N of positions [1, extra + N, D], or of tables whose sum they are. */
export const addPositions = layer<AddPositions>(
  "addPositions",
  (g: Builder, tokens: Tensor, positions: Tensor | FrontedTables, { extra }: { readonly extra: number }): never => {
    const [, count, width] = tokens.shape as [number, number, number];
    if ("shape" in positions) {
      return claimAs(g.add(tokens, extra === 0 ? positions : g.slice(positions, [0, extra, 0], [1, count, width])));
    }
    const { temporal, spatial, class: front } = positions;
    const [times, places] = [temporal.shape[1], spatial.shape[1]] as [number, number];
    const sum = g.add(g.reshape(temporal, [times, 1, width]), g.reshape(spatial, [1, places, width]));
    const patches = g.reshape(sum, [1, times * places, width]);
    return claimAs(g.add(tokens, front && count > times * places ? g.concat([front, patches], 1) : patches));
  },
);

type FrontedTables = SeparateTables<number, number, number> & { readonly class?: Tensor };

/** x [B, N, D], index [B, V] -> the tokens at these places, in this order, [B, V, D]. */
export const takeTokens = layer(
  "takeTokens",
  <B extends Rows, N extends number, D extends number, V extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    index: Tensor<[NoInfer<B>, V], "int32">,
  ): Tensor<[B, V, D]> => claim(g.takeTokens(claim<[B, number, D]>(x), index)),
);

/** Puts learned tokens [1, C, D], each with its place, behind tokens [B, V, D] -> [B, V + C, D]. */
export const appendTokens = layer(
  "appendTokens",
  <B extends Rows, V extends number, D extends number, C extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    own: Tensor<[1, C, NoInfer<D>]>,
    positions: Tensor<[1, NoInfer<C>, NoInfer<D>]>,
  ): Sequence<B, V, C, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    const placed = g.broadcast(g.add(own, positions), [batch, own.shape[1] as number, width]);
    return claimAs(g.concat([tokens, placed], 1));
  },
);

/** x [B, M, D] -> the last `count` of its tokens, [B, count, D]. */
export const lastTokens = layer(
  "lastTokens",
  <B extends Rows, D extends number, const C extends number>(
    g: Builder,
    x: Tensor<[B, number, D]>,
    o: { readonly count: C },
  ): Tensor<[B, C, D]> => {
    const [batch, tokens, width] = x.shape as [number, number, number];
    return claim(g.slice(x, [0, tokens - o.count, 0], [batch, o.count, width]));
  },
);

/** tokens [B, N, D] + a vector [1, 1, D] that tells of which input they are. */
export const addMark = layer(
  "addMark",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    mark: Tensor<[1, 1, NoInfer<D>]>,
  ): Tensor<[B, N, D]> => g.add(tokens, mark),
);

/** a [B, N, D], b [B, M, D] -> the tokens of both, [B, N + M, D]. */
export const joinTokens = layer(
  "joinTokens",
  <B extends Rows, N extends number, M extends number, D extends number>(
    g: Builder,
    a: Tensor<[B, N, D]>,
    b: Tensor<[NoInfer<B>, M, NoInfer<D>]>,
  ): Sequence<B, N, M, D> => claimAs(g.concat([a, b], 1)),
);

/** x [B, M, D] -> `count` of its tokens from `start` on, [B, count, D]. */
export const tokensFrom = layer(
  "tokensFrom",
  <B extends Rows, M extends number, D extends number, const C extends number>(
    g: Builder,
    x: Tensor<[B, M, D]>,
    o: { readonly start: number; readonly count: C },
  ): Tensor<[B, C, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.slice(x, [0, o.start, 0], [batch, o.count, width]));
  },
);

/** x [B, extra + M, D] -> its tokens behind those in front, [B, M, D], however many they are. */
export const tokensBehind = layer(
  "tokensBehind",
  <B extends Rows, D extends number>(
    g: Builder,
    x: Tensor<[B, number, D]>,
    o: { readonly extra: number },
  ): Tensor<[B, number, D]> => {
    const [batch, tokens, width] = x.shape as [number, number, number];
    return claim(g.slice(x, [0, o.extra, 0], [batch, tokens - o.extra, width]));
  },
);

/**
 * x [B, M, D] -> of the groups that stand in it one after the other, behind `extra` tokens in front, the tokens of one, [B, V, D]. Of it and
 * of those before it is given how many tokens they have, or their places in a tensor [B, V].
 */
export const groupTokens = layer(
  "groupTokens",
  <B extends Rows, V extends number, D extends number>(
    g: Builder,
    x: Tensor<[B, number, D]>,
    own: Tensor<[Rows, V], "int32"> | V,
    o: { readonly extra: number; readonly before: readonly (Tensor<[Rows, number], "int32"> | number)[] },
  ): Tensor<[B, V, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    const sizeOf = (group: Tensor | number): number => (typeof group === "number" ? group : (group.shape[1] as number));
    const start = o.before.reduce<number>((sum, group) => sum + sizeOf(group), o.extra);
    return claim(g.slice(x, [0, start, 0], [batch, sizeOf(own), width]));
  },
);

/** like [B, ...], token [1, 1, D] -> `count` copies of it for each sample, [B, count, D]. */
export const repeatToken = layer(
  "repeatToken",
  <B extends Rows, D extends number, const C extends number>(
    g: Builder,
    like: Tensor<[B, number, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    o: { readonly count: C },
  ): Tensor<[B, C, D]> => claim(g.broadcast(token, [like.shape[0] as number, o.count, token.shape[2] as number])),
);

/**
 * latent [B, extra + V, D] -> [B, extra + N, D]: every patch at its own place, copies of one learned token [1, 1, D] where
 * nothing was seen. restore [B, N] is the place of each token in [visible, hidden].
 */
export const restoreTokens = layer(
  "restoreTokens",
  <B extends Rows, M extends number, N extends number, D extends number, const E extends number>(
    g: Builder,
    latent: Tensor<[B, M, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    restore: Tensor<[NoInfer<B>, N], "int32">,
    o: { readonly extra: E },
  ): Sequence<B, E, N, D> => {
    const [batch, seen, width] = latent.shape as [number, number, number];
    const count = restore.shape[1] as number;
    const visible = seen - o.extra;
    const patches = o.extra === 0 ? latent : g.slice(latent, [0, o.extra, 0], [batch, visible, width]);
    const fill = g.broadcast(token, [batch, count - visible, width]);
    const placed = g.takeTokens(claim<[B, number, D]>(g.concat([patches, fill], 1)), restore);
    if (o.extra === 0) return claimAs(placed);
    return claimAs(g.concat([g.slice(latent, [0, 0, 0], [batch, o.extra, width]), placed], 1));
  },
);

/** tokens [B, V, D] -> [B, N, D]: every one at its own place, zeros where nothing was seen. restore [B, N] as in `restoreTokens`. */
export const restoreZeros = layer(
  "restoreZeros",
  <B extends Rows, V extends number, N extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    restore: Tensor<[NoInfer<B>, N], "int32">,
  ): Tensor<[B, N, D]> => {
    const [batch, visible, width] = tokens.shape as [number, number, number];
    const fill = g.broadcast(g.constant(0), [batch, (restore.shape[1] as number) - visible, width]);
    return claim(g.takeTokens(claim<[B, number, D]>(g.concat([tokens, fill], 1)), restore));
  },
);

/** x [B, extra + N, D] -> the patches' tokens [B, N, D]. */
export const patchTokens = layer(
  "patchTokens",
  <B extends Rows, N extends number, D extends number, const E extends number>(
    g: Builder,
    x: Sequence<B, E, N, D>,
    o: { readonly extra: E; readonly count: N },
  ): Tensor<[B, N, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.slice(x, [0, o.extra, 0], [batch, o.count, width]));
  },
);

/** x [B, extra + V, D], visible [B, V] -> the tokens of the visible patches [B, V, D]. */
export const seenTokens = layer(
  "seenTokens",
  <B extends Rows, V extends number, D extends number, const E extends number>(
    g: Builder,
    x: Sequence<B, E, V, D>,
    visible: Tensor<[Rows, V], "int32">,
    o: { readonly extra: E },
  ): Tensor<[B, V, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.slice(x, [0, o.extra, 0], [batch, visible.shape[1] as number, width]));
  },
);

/** x [B, N, D] -> the mean of its tokens [B, D]. */
export const meanToken = layer(
  "meanToken",
  <B extends Rows, D extends number>(g: Builder, x: Tensor<[B, number, D]>): Tensor<[B, D]> => claim(g.mean(x, [1])),
);
