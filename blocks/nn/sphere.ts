/** Samples of a batch as points on a sphere: how evenly they are spread, and how surely two of one sample find each other. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** Below it a vector's length is not divided by; as torch.nn.functional.normalize. */
const shortest = 1e-12;

/** x [..., D] -> each vector with length 1. */
export function unitVectors(g: Builder, x: Tensor): Tensor {
  const squares = g.sum(g.mul(x, x), [x.shape.length - 1], "keep"); // [..., 1]
  return g.mul(x, g.rsqrt(g.maximum(squares, shortest ** 2)));
}

/** x [..., D] -> each vector divided by its length; `epsilon` is added to the square of that, so that it has a slope at 0 too. */
export function directions(g: Builder, x: Tensor, epsilon: number): Tensor {
  const shape = x.shape as readonly number[];
  const length = g.sqrt(g.add(g.sum(g.mul(x, x), [shape.length - 1]), epsilon));
  return g.div(x, g.reshape(length, [...shape.slice(0, -1), 1]));
}

/**
 * features [B, D] -> the mean of all B x B squared cosines between samples, each with itself included, []. 1 when all
 * samples point one way or the opposite, at least 1 / B.
 */
export const meanSquaredCosine = layer(
  "meanSquaredCosine",
  <D extends number>(g: Builder, features: Tensor<["B", D]>): Tensor<[]> => {
    const unit = unitVectors(g, features);
    const cosines = g.matmul(unit, unit, { b: true }); // [B, B]
    return claim(g.mean(g.mul(cosines, cosines)));
  },
);

/**
 * queries and keys [B, D] -> how surely each query finds the key of its own sample among those of the whole batch: the mean over i of
 * -log softmax_j(cos(q_i, k_j) / temperature) at j = i, []. `symmetric`: the mean of that and of keys that look for queries.
 */
export const infoNce = layer(
  "infoNce",
  <D extends number>(
    g: Builder,
    queries: Tensor<["B", D]>,
    keys: Tensor<["B", NoInfer<D>]>,
    o: { readonly temperature: number; readonly symmetric: boolean },
  ): Tensor<[]> => {
    const [q, k] = [unitVectors(g, queries), unitVectors(g, keys)];
    const scores = g.mul(g.matmul(q, k, { b: true }), 1 / o.temperature); // [B, B]
    const own = g.mul(g.mean(g.sum(g.mul(q, k), [1])), 1 / o.temperature); // []
    const found = g.sub(meanLogSum(g, scores, 1), own);
    return claim(o.symmetric ? g.mul(g.add(found, g.sub(meanLogSum(g, scores, 0), own)), 0.5) : found);
  },
);

/** x [M, N] -> log sum exp along an axis, its mean over the other, []. */
export function meanLogSum(g: Builder, x: Tensor, axis: 0 | 1): Tensor {
  // The largest leaves the result as it is and keeps exp finite; so it has no gradient.
  const largest = g.stopGradient(g.reduceMax(x, [axis], "keep"));
  return g.mean(g.add(g.log(g.sum(g.exp(g.sub(x, largest)), [axis], "keep")), largest));
}
