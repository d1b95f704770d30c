/** How much moves in each token of a clip, and errors weighed by it. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { type Lattice, tokenCount } from "../sets.js";
import { claim, claimAs, layer } from "./layer.js";
import { patchify, takeTimes } from "./tokens.js";

/**
 * array [B, T, ...axes, C] -> how much moves in each token, [B, N, 1]: of the values of its places the largest difference between the first time and
 * the last, the mean over channels. Tokens of other times at the same places have as much.
 */
export const motionOfTokens = layer(
  "motionOfTokens",
  <B extends Rows, N extends number>(
    g: Builder,
    array: Tensor<[B, number, ...number[]]>,
    grid: Lattice,
  ): Tensor<[B, N, 1]> => {
    const [time, ...others] = grid as readonly [Lattice[number], ...Lattice];
    const [batch, times, channels] = [array.shape[0], array.shape[1], array.shape.at(-1)] as [number, number, number];
    const [first, last] = [takeTimes(g, array, [0]), takeTimes(g, array, [times - 1])];
    const places = [{ ...time, count: 1, size: 1 }, ...others];
    const moved = patchify<B, Lattice, number>(g, claimAs(g.abs(g.sub(claim(last), claim(first)))), places);
    const count = tokenCount(places);
    const values = g.reshape(moved, [
      batch,
      count,
      ((moved.shape as readonly number[])[2] as number) / channels,
      channels,
    ]);
    const largest = g.mean(g.reduceMax(values, [2]), [2]); // [B, n]
    return claim(
      g.reshape(
        g.concat(
          Array.from({ length: time.count }, () => largest),
          1,
        ),
        [batch, count * time.count, 1],
      ),
    );
  },
);

/** Added to the sum of weights: a clip in which nothing moves has no error. */
const weightEpsilon = 1e-6;

/** errors [B, N] and weights [B, N, 1] of the same tokens -> their weighted mean over the tokens of a sample, the mean over samples, []. */
export const weightedMeanOfTokens = layer(
  "weightedMeanOfTokens",
  <N extends number>(g: Builder, errors: Tensor<["B", N]>, weights: Tensor<["B", NoInfer<N>, 1]>): Tensor<[]> => {
    const each = g.reshape(weights, [errors.shape[0] as number, errors.shape[1] as number]);
    const sum = g.sum(g.mul(errors, each), [1]);
    return claim(g.mean(g.div(sum, g.add(g.sum(each, [1]), weightEpsilon))));
  },
);
