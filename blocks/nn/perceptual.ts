/** How far two pictures are from each other for a network that looks at them. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";
import { directions } from "./sphere.js";

/** Added to the squared length of the features of a place. */
const epsilon = 1e-10;

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
      const difference = g.sub(
        directions(g, map, epsilon),
        g.stopGradient(directions(g, wanted[i] as Tensor, epsilon)),
      );
      const places = sizeOf((map.shape as readonly number[]).slice(0, -1));
      return g.mul(g.sum(g.mul(difference, difference)), 1 / places);
    });
    return claim(distances.reduce((sum, one) => g.add(sum, one)));
  },
);
