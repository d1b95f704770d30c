/** One vector for a sample, from the tokens of its latent. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** x [B, N, D] -> its first token [B, D]: the class token, where the encoder has one. */
export const firstToken = layer(
  "firstToken",
  <B extends Rows, D extends number>(g: Builder, x: Tensor<[B, number, D]>): Tensor<[B, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.reshape(g.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]));
  },
);

/** x [B, N, D] -> the mean of its tokens [B, D]. */
export const meanToken = layer(
  "meanToken",
  <B extends Rows, D extends number>(g: Builder, x: Tensor<[B, number, D]>): Tensor<[B, D]> => claim(g.mean(x, [1])),
);
