/** Arrays and maps cut into equal boxes, and boxes put together again: how their axes lie in between, the places of a box, and types of maps with more places. */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";

export type Places = readonly number[];

/** So many times as many along each axis. */
type Times<P extends Places, F extends number> = { -readonly [K in keyof P]: Mul<P[K], F> };

/** [B, ...F times P, C]. */
export type Finer<B extends Rows, P extends Places, F extends number, C extends number> =
  Times<P, F> extends infer S extends number[] ? Tensor<[B, ...S, C]> : never;

/** The places of a box in raster order, by their numbers along each axis. */
export const placesIn = (box: Places): readonly Places[] =>
  box.reduce<readonly Places[]>(
    (all, n) => all.flatMap((place) => Array.from({ length: n }, (_, i) => [...place, i])),
    [[]],
  );

/** Along each axis: how many boxes there are, and how many places one has. */
interface Boxes {
  readonly counts: Places;
  readonly sides: Places;
}

/** x [B, ...counts x sides, C] -> [B, ...counts, ...sides, C] */
export function boxesApart(g: Builder, x: Tensor, { counts, sides }: Boxes): Tensor {
  const [batch, width] = [x.shape[0] as number, x.shape.at(-1) as number];
  const axes = counts.map((_, i) => i);
  const pairs = g.reshape(x, [batch, ...axes.flatMap((i) => [counts[i] as number, sides[i] as number]), width]);
  return g.transpose(pairs, [0, ...axes.map((i) => 1 + 2 * i), ...axes.map((i) => 2 + 2 * i), 1 + 2 * axes.length]);
}

/** The inverse, of numbers that lie in that order: -> [B, ...counts x sides, C] */
export function boxesTogether(
  g: Builder,
  x: Tensor,
  { batch, counts, sides, width }: Boxes & { readonly batch: number; readonly width: number },
): Tensor {
  const axes = counts.map((_, i) => i);
  const apart = g.reshape(x, [batch, ...counts, ...sides, width]);
  const pairs = g.transpose(apart, [0, ...axes.flatMap((i) => [1 + i, 1 + axes.length + i]), 1 + 2 * axes.length]);
  return g.reshape(pairs, [batch, ...axes.map((i) => (counts[i] as number) * (sides[i] as number)), width]);
}
