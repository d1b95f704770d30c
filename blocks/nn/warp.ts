/**
 * Arrays read at other places: where each place goes is a displacement in places along each axis, and what lies between places is
 * linear. As torch.nn.functional.grid_sample with align_corners=True, whose grid is the place and the displacement together.
 */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** What lies outside: nothing, or what lies at the border. */
export type Outside = "zeros" | "border";

/** The places of an array, [1, ...sizes, 1] along one axis. */
function placesAlong(g: Builder, sizes: readonly number[], axis: number): Tensor {
  const shape = [1, ...sizes.map((size, i) => (i === axis ? size : 1)), 1];
  return g.constant(
    Float32Array.from({ length: sizes[axis] as number }, (_, i) => i),
    shape,
  );
}

/** Along one axis: the two places between which each is read, and what of the second. */
interface Between {
  readonly places: readonly [Tensor, Tensor];
  readonly shares: readonly [Tensor, Tensor];
}

/**
 * way [B, ...S, 1]: how far from each of the `own` places along an axis of `size` is read. The way alone is rounded down: beside the number
 * of a place a short one would be lost, and with it on which side of the place the slope is taken.
 */
function between(g: Builder, way: Tensor, own: Tensor, size: number, outside: Outside): Between {
  const within = outside === "border" ? g.minimum(g.maximum(way, g.neg(own)), g.sub(g.constant(size - 1), own)) : way;
  const whole = g.floor(within);
  const first = g.add(own, whole);
  const second = g.add(first, 1);
  const share = g.sub(within, whole);
  const inside = (place: Tensor): Tensor =>
    g.mul(g.cast(g.less(place, size - 0.5), "float32"), g.cast(g.less(g.neg(place), 0.5), "float32"));
  const bounded = (place: Tensor): Tensor => g.minimum(g.maximum(place, 0), size - 1);
  const shares = [g.sub(g.constant(1), share) as Tensor, share] as const;
  return {
    places: [bounded(first), bounded(second)],
    shares: outside === "border" ? shares : [g.mul(shares[0], inside(first)), g.mul(shares[1], inside(second))],
  };
}

/** `warp` for the layers that are made of it. */
export function warped(g: Builder, x: Tensor, displacement: Tensor, outside: Outside): Tensor {
  const [batch, ...rest] = x.shape as readonly number[];
  const [sizes, width] = [rest.slice(0, -1), rest.at(-1) as number];
  const places = sizeOf(sizes);
  const axes = sizes.map((size, axis) => {
    const way = g.slice(displacement, [...x.shape.map(() => 0).slice(1), axis], [batch as number, ...sizes, 1]);
    return between(g, way, placesAlong(g, sizes, axis), size, outside);
  });
  // Whole numbers of a sample are exact; those of a batch are too where they are ints.
  const firsts = g.constant(
    Int32Array.from({ length: batch as number }, (_, i) => i * places),
    [batch as number, ...sizes.map(() => 1), 1],
    "int32",
  );
  const table = g.reshape(x, [(batch as number) * places, width]);
  const corners = Array.from({ length: 2 ** sizes.length }, (_, corner) => {
    const side = (axis: number): 0 | 1 => ((corner >> axis) & 1 ? 1 : 0);
    const place = axes.reduce<Tensor | null>((sum, { places }, axis) => {
      const own = places[side(axis)];
      return sum === null ? own : g.add(g.mul(sum, sizes[axis] as number), own);
    }, null) as Tensor;
    const share = axes.map(({ shares }, axis) => shares[side(axis)]).reduce((product, own) => g.mul(product, own));
    const index = g.reshape(g.add(g.cast(place, "int32"), firsts), [batch as number, ...sizes]);
    return g.mul(g.lookUp(table as Tensor<[number, number]>, index as Tensor<number[], "int32">), share);
  });
  return corners.reduce((sum, corner) => g.add(sum, corner));
}

/**
 * x [B, ...S, D], displacement [B, ...S, axes] in places -> [B, ...S, D]: at each place what x has there and the displacement together.
 */
export const warp = layer(
  "warp",
  <B extends Rows, S extends number[], D extends number, A extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    displacement: Tensor<[NoInfer<B>, ...S, A]>,
    o: { readonly outside: Outside },
  ): Tensor<[B, ...S, D]> => claim(warped(g, x, displacement, o.outside)),
);

/**
 * velocity [B, ...S, axes] -> displacement [B, ...S, axes]: what moves along the velocity for one unit of time, by scaling and squaring: half
 * of the way `steps` times over, then each way after itself (Arsigny et al., MICCAI 2006).
 */
export const integrated = layer(
  "integrated",
  <B extends Rows, S extends number[], A extends number>(
    g: Builder,
    velocity: Tensor<[B, ...S, A]>,
    o: { readonly steps: number },
  ): Tensor<[B, ...S, A]> => {
    let way: Tensor = g.mul(velocity, 1 / 2 ** o.steps);
    for (let i = 0; i < o.steps; i++) way = g.add(way, warped(g, way, way, "zeros"));
    return claim(way);
  },
);
