/**
 * Maps of another size: between the places by the straight line, or means of the places. Each place of the result is a weighted sum of
 * places of the map, axis by axis, so that one product with a matrix an axis gives it, and the gradient is exact.
 */

import type { Builder, Dims, Rows, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

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

/** As torch.nn.functional.adaptive_avg_pool2d: windows side by side where the size divides the length, and else overlapping. */
const meanShares: Shares = (length, size) => {
  const shares = new Float32Array(size * length);
  for (let i = 0; i < size; i++) {
    const [begin, end] = [Math.floor((i * length) / size), Math.ceil(((i + 1) * length) / size)];
    shares.fill(1 / (end - begin), i * length + begin, i * length + end);
  }
  return shares;
};

/** x [B, ...S, D] -> [B, ...sizes, D] */
function shared(g: Builder, x: Tensor, sizes: readonly number[], shares: Shares): Tensor {
  return sizes.reduce<Tensor>((map, size, i) => {
    const axis = i + 1;
    const length = map.shape[axis] as number;
    if (length === size) return map;
    const product = (lengths: readonly number[]): number => lengths.reduce((total, n) => total * n, 1);
    const [before, after] = [map.shape.slice(0, axis), map.shape.slice(axis + 1)];
    const rows = g.reshape(map, [product(before), length, product(after)]);
    const mixed = g.matmul(g.constant(shares(length, size), [size, length]), rows);
    return g.reshape(mixed, [...before, size, ...after]);
  }, x);
}

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
