/** From pixels to tokens and back to the full sequence: patches, positions, the class token, and the places of hidden tokens. */

import type { Add, Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";

/** A grid of patches as emitted programs write it: literal sizes. */
export interface GridLiteral<R extends number, K extends number, H extends number, W extends number> {
  readonly rows: R;
  readonly columns: K;
  readonly patch: readonly [H, W];
}

/** h * w * C, in two steps: nested arithmetic on open sizes is too deep for the compiler. */
type PatchValues<H extends number, W extends number, C extends number> =
  Mul<H, W> extends infer A extends number ? Mul<A, C> : never;

/**
 * image [B, rows * h, columns * w, C] -> [B, rows * columns, h * w * C], raster order, channel fastest, then x, then y:
 * the order of official MAE's patchify.
 */
export const patchify = layer(
  "patchify",
  <
    B extends Rows,
    const R extends number,
    const K extends number,
    const H extends number,
    const W extends number,
    C extends number,
  >(
    g: Builder,
    image: Tensor<[B, Mul<R, H>, Mul<K, W>, C]>,
    grid: GridLiteral<R, K, H, W>,
  ): Tensor<[B, Mul<R, K>, PatchValues<H, W, C>]> => {
    const [batch, , , channels] = image.shape as [number, number, number, number];
    const [height, width] = grid.patch;
    const cut = g.reshape(image, [batch, grid.rows, height, grid.columns, width, channels]);
    const sorted = g.transpose(cut, [0, 1, 3, 2, 4, 5]); // [B, rows, columns, h, w, C]
    return claim(g.reshape(sorted, [batch, grid.rows * grid.columns, height * width * channels]));
  },
);

/** patches [B, rows * columns, h * w * C] -> image [B, rows * h, columns * w, C]; the inverse of `patchify`. */
export const unpatchify = layer(
  "unpatchify",
  <
    B extends Rows,
    const R extends number,
    const K extends number,
    const H extends number,
    const W extends number,
    const C extends number,
  >(
    g: Builder,
    patches: Tensor<[B, Mul<R, K>, NoInfer<PatchValues<H, W, C>>]>,
    grid: GridLiteral<R, K, H, W>,
    o: { readonly channels: C },
  ): Tensor<[B, Mul<R, H>, Mul<K, W>, C]> => {
    const [batch] = patches.shape as [number, number, number];
    const [height, width] = grid.patch;
    const cut = g.reshape(patches, [batch, grid.rows, grid.columns, height, width, o.channels]);
    const sorted = g.transpose(cut, [0, 1, 3, 2, 4, 5]); // [B, rows, h, columns, w, C]
    return claim(g.reshape(sorted, [batch, grid.rows * height, grid.columns * width, o.channels]));
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

/** tokens [B, N, D] + rows extra .. extra + N of positions [1, extra + N, D]. */
export const addPositions = layer(
  "addPositions",
  <B extends Rows, N extends number, D extends number, const E extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    positions: Sequence<1, E, N, NoInfer<D>>,
    o: { readonly extra: E },
  ): Tensor<[B, N, D]> => {
    const [, count, width] = tokens.shape as [number, number, number];
    return g.add(tokens, o.extra === 0 ? positions : g.slice(positions, [0, o.extra, 0], [1, count, width]));
  },
);

/** x [B, N, D], index [B, V] -> the tokens at these places, in this order, [B, V, D]. */
export const takeTokens = layer(
  "takeTokens",
  <B extends Rows, N extends number, D extends number, V extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    index: Tensor<[NoInfer<B>, V], "int32">,
  ): Tensor<[B, V, D]> => claim(g.takeTokens(claim<[B, number, D]>(x), index)),
);

/** Puts the class token, with row 0 of positions [1, P, D] added, in front of tokens [B, V, D] -> [B, 1 + V, D]. */
export const prependClassToken = layer(
  "prependClassToken",
  <B extends Rows, V extends number, D extends number, P extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    positions: Tensor<[1, P, NoInfer<D>]>,
  ): Sequence<B, 1, V, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    const placed = g.add(token, g.slice(positions, [0, 0, 0], [1, 1, width]));
    return claimAs(g.concat([g.broadcast(placed, [batch, 1, width]), tokens], 1));
  },
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
