/**
 * Maps: what an encoder makes of an array place by place, [B, ...S, D]. A mask hides cells of the array; on a map they are zeros, at
 * every stride anew, so that what is hidden stays hidden: the result of a sparse convolution on dense numbers.
 */

import type { Builder, Dims, Product, Rows, Tensor } from "../../graph/index.js";
import { boxesTogether, type Finer } from "./boxes.js";
import { claim, claimAs, layer } from "./layer.js";

/**
 * visible [B, V], restore [B, N] of cells, so many along each axis -> [B, ...scale counts, 1]: 1 where a cell is visible, 0 where it is
 * hidden, `scale` places of a map along each axis for one cell.
 */
export const keptPlaces = layer(
  "keptPlaces",
  <B extends Rows, V extends number, N extends number, const L extends readonly number[], const F extends number>(
    g: Builder,
    visible: Tensor<[B, V], "int32">,
    restore: Tensor<[NoInfer<B>, N], "int32">,
    o: { readonly counts: L; readonly scale: F },
  ): Finer<B, L, F, 1> => {
    const [batch, count] = visible.shape as readonly [number, number];
    const kept = g.cast(g.less(restore, count), "float32"); // [B, N]
    const apart = g.reshape(kept, [batch, ...o.counts.flatMap((n) => [n, 1]), 1]);
    const wide = g.broadcast(apart, [batch, ...o.counts.flatMap((n) => [n, o.scale]), 1]);
    return claimAs(g.reshape(wide, [batch, ...o.counts.map((n) => n * o.scale), 1]));
  },
);

/** x [B, ...S, D], kept [B, ...S, 1] -> x where something is visible, zeros where it is hidden. */
export const zeroHidden = layer(
  "zeroHidden",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    kept: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => g.mul(x, kept),
);

/** x [B, ...S, D], token [..., D], kept [B, ...S, 1] -> x where something is visible, the token where it is hidden. */
export const fillPlaces = layer(
  "fillPlaces",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    token: Tensor,
    kept: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => {
    const vector = g.reshape(token, [token.shape.at(-1) as number]);
    return claim(g.add(g.mul(x, kept), g.mul(g.sub(g.constant(1), kept) as Tensor, vector)));
  },
);

/** a, b [B, ...S, D] -> a + b */
export const addPlaces = layer(
  "addPlaces",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    a: Tensor<[B, ...S, D]>,
    b: Tensor<[NoInfer<B>, ...S, NoInfer<D>]>,
  ): Tensor<[B, ...S, D]> => g.add(a, b),
);

/** x [B, ...S, D] -> its places one after the other, [B, N, D] in raster order. */
export const placesInRow = layer(
  "placesInRow",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
  ): Tensor<[B, Product<S>, D]> => {
    const [batch, width] = [x.shape[0] as number, x.shape.at(-1) as number];
    return claim(g.reshape(x, [batch, x.shape.slice(1, -1).reduce((product, n) => product * n, 1), width]));
  },
);

/** x [B, ...P, F^axes D] -> [B, ...F P, D]: what stands at a place is of F places along each axis, in raster order; D is `width`. */
export const spreadPlaces = layer(
  "spreadPlaces",
  <B extends Rows, const P extends readonly number[], const F extends number, D extends number>(
    g: Builder,
    x: Tensor<[B, ...P, number]>,
    o: { readonly factor: F; readonly width: D },
  ): Finer<B, P, F, D> => {
    const counts = x.shape.slice(1, -1).map(Number);
    const sides = counts.map(() => o.factor);
    return claimAs(boxesTogether(g, x, { batch: x.shape[0] as number, counts, sides, width: o.width }));
  },
);

/** tokens [B, N, D] of a lattice -> [B, ...S, D]; the inverse of `placesInRow`. */
export const placesApart = layer(
  "placesApart",
  <B extends Rows, const S extends Dims, D extends number>(
    g: Builder,
    tokens: Tensor<[B, number, D]>,
    o: { readonly counts: S },
  ): Tensor<[B, ...S, D]> =>
    claim(g.reshape(tokens, [tokens.shape[0] as number, ...o.counts.map(Number), tokens.shape[2] as number])),
);
