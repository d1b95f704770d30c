/** How far two pictures are from each other for a network that looks at them. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** Added to the squared length of the features of a place: where there are none, it has a slope too. */
const epsilon = 1e-10;

/** Features of the last axis divided by their length. */
function directions(g: Builder, x: Tensor): Tensor {
  const shape = x.shape as readonly number[];
  const length = g.sqrt(g.add(g.sum(g.mul(x, x), [shape.length - 1]), epsilon));
  return g.div(x, g.reshape(length, [...shape.slice(0, -1), 1]));
}

/**
 * Maps of two pictures by one network, [B, ...S, D] each -> []: squared distances of the directions of the features at each place, the mean over
 * places and samples, the sum over maps.
 */
export const perceptualDistance = layer(
  "perceptualDistance",
  <B extends Rows>(
    g: Builder,
    predicted: readonly Tensor<[B, ...number[]]>[],
    wanted: readonly Tensor<[NoInfer<B>, ...number[]]>[],
  ): Tensor<[]> => {
    const distances = predicted.map((map, i) => {
      const difference = g.sub(directions(g, map), g.stopGradient(directions(g, wanted[i] as Tensor)));
      const places = sizeOf((map.shape as readonly number[]).slice(0, -1));
      return g.mul(g.sum(g.mul(difference, difference)), 1 / places);
    });
    return claim(distances.reduce((sum, one) => g.add(sum, one)));
  },
);
