/**
 * Maps of another size: between the places by the straight line, or means of the places. Each place of the result is a weighted sum of
 * places of the map, axis by axis, so that one product with a matrix an axis gives it, and the gradient is exact.
 */

import { type Add, type Builder, type Dims, type Product, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";

/** What each of `size` places takes from each of `length`: [size, length], row by row. */
type Shares = (length: number, size: number) => Float32Array;

/** As torch.nn.functional.interpolate does without antialiasing and with align_corners=False. */
export const linearShares: Shares = (length, size) => {
  const shares = new Float32Array(size * length);
  for (let i = 0; i < size; i++) {
    const at = Math.max(0, ((i + 0.5) * length) / size - 0.5);
    const before = Math.min(length - 1, Math.floor(at));
    const after = Math.min(length - 1, before + 1);
    shares[i * length + before] = (shares[i * length + before] as number) + 1 - (at - before);
    shares[i * length + after] = (shares[i * length + after] as number) + at - before;
  }
  return shares;
};

/** Keys' cubic with a = -3/4, as torch.nn.functional.interpolate has it, without antialiasing and with align_corners=False. */
const cubicShares: Shares = (length, size) => {
  const near = (x: number): number => (1.25 * x - 2.25) * x * x + 1;
  const far = (x: number): number => ((-0.75 * x + 3.75) * x - 6) * x + 3;
  const shares = new Float32Array(size * length);
  for (let i = 0; i < size; i++) {
    const at = ((i + 0.5) * length) / size - 0.5;
    const before = Math.floor(at);
    const [left, right] = [at - before, before + 1 - at];
    for (const [k, weight] of [far(left + 1), near(left), near(right), far(right + 1)].entries()) {
      const place = i * length + Math.min(length - 1, Math.max(0, before - 1 + k));
      shares[place] = (shares[place] as number) + weight;
    }
  }
  return shares;
};

/** As torch.nn.functional.adaptive_avg_pool2d: windows side by side where the size divides the length, and else overlapping. */
const meanShares: Shares = (length, size) => {
  const shares = new Float32Array(size * length);
  for (let i = 0; i < size; i++) {
    const [begin, end] = [Math.floor((i * length) / size), Math.ceil(((i + 1) * length) / size)];
    shares.fill(1 / (end - begin), i * length + begin, i * length + end);
  }
  return shares;
};

/** x [B, ...S, D], mixed along `axis` by a matrix [size, length] */
function mixed(g: Builder, x: Tensor, axis: number, size: number, shares: Float32Array): Tensor {
  const length = x.shape[axis] as number;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const rows = g.reshape(x, [sizeOf(before), length, sizeOf(after)]);
  return g.reshape(g.matmul(g.constant(shares, [size, length]), rows), [...before, size, ...after]);
}

/** x [B, ...S, D] -> [B, ...sizes, D] */
function shared(g: Builder, x: Tensor, sizes: readonly number[], shares: Shares): Tensor {
  return sizes.reduce<Tensor>((map, size, i) => {
    const length = map.shape[i + 1] as number;
    return length === size ? map : mixed(g, map, i + 1, size, shares(length, size));
  }, x);
}

/** x [B, ...S, D]: the sums over windows of so many places around each, zeros outside. */
export const windowSums = (g: Builder, x: Tensor, side: number): Tensor =>
  x.shape.slice(1, -1).reduce<Tensor>((map, size, i) => {
    const length = size as number;
    const isNear = (at: number): boolean => Math.abs(Math.floor(at / length) - (at % length)) <= Math.floor(side / 2);
    const shares = Float32Array.from({ length: length * length }, (_, at) => (isNear(at) ? 1 : 0));
    return mixed(g, map, i + 1, length, shares);
  }, x);

/** x [B, ...S, D] -> [B, ...sizes, D]: linear between the centres of places. */
export const resizePlaces = layer(
  "resizePlaces",
  <B extends Rows, S extends number[], D extends number, const T extends Dims>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    o: { readonly sizes: T },
  ): Tensor<[B, ...T, D]> => claim(shared(g, x, o.sizes.map(Number), linearShares)),
);

/** x [B, ...S, D] -> [B, ...sizes, D]: the mean of the places that lie in each. */
export const averagePlaces = layer(
  "averagePlaces",
  <B extends Rows, S extends number[], D extends number, const T extends Dims>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    o: { readonly sizes: T },
  ): Tensor<[B, ...T, D]> => claim(shared(g, x, o.sizes.map(Number), meanShares)),
);

/** A table of positions [1, E + N, D]. */
type Table<E extends number, C extends readonly number[], D extends number> =
  Product<C> extends infer N extends number
    ? Add<E, N> extends infer M extends number
      ? Tensor<[1, M, D]>
      : never
    : never;

/** positions [1, E + N, D] of a lattice -> those of another one over the same axes, bicubic; the first E rows stay. */
export const resizePositions = layer(
  "resizePositions",
  <const E extends number, const F extends readonly number[], const T extends readonly number[], D extends number>(
    g: Builder,
    positions: Tensor<[1, number, D]>,
    o: { readonly extra: E; readonly from: F; readonly to: T },
  ): Table<E, T, D> => {
    const [, , width] = positions.shape as readonly [number, number, number];
    const count = sizeOf(o.from);
    const patches = g.slice(positions, [0, o.extra, 0], [1, count, width]);
    const resized = shared(g, g.reshape(patches, [1, ...o.from, width]), o.to, cubicShares);
    const rows = g.reshape(resized, [1, sizeOf(o.to), width]);
    if (o.extra === 0) return claimAs(rows);
    return claimAs(g.concat([g.slice(positions, [0, 0, 0], [1, o.extra, width]), rows], 1));
  },
);
