/** How evenly the samples of a batch are spread over the sphere. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** Below it a vector's length is not divided by; as torch.nn.functional.normalize. */
const shortest = 1e-12;

/**
 * features [B, D] -> the mean of all B x B squared cosines between samples, each with itself included, []. 1 when all
 * samples point one way or the opposite, at least 1 / B.
 */
export const meanSquaredCosine = layer(
  "meanSquaredCosine",
  <D extends number>(g: Builder, features: Tensor<["B", D]>): Tensor<[]> => {
    const squares = g.sum(g.mul(features, features), [1], "keep"); // [B, 1]
    const unit = g.mul(features, g.rsqrt(g.maximum(squares, shortest ** 2)));
    const cosines = g.matmul(unit, unit, { b: true }); // [B, B]
    return claim(g.mean(g.mul(cosines, cosines)));
  },
);
