/** The tokens in front of the patches: the class token and that of distillation, with their places or without, and what is read of them. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";
import type { Sequence } from "./tokens.js";

/** Puts the class token, with its position added, row 0 of [1, P, D] or a table of its own, in front of tokens [B, V, D] -> [B, 1 + V, D]. */
export const prependClassToken = layer(
  "prependClassToken",
  <B extends Rows, V extends number, D extends number, P extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    positions: Tensor<[1, P, NoInfer<D>]> | { readonly class: Tensor<[1, 1, NoInfer<D>]> },
  ): Sequence<B, 1, V, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    const own = "class" in positions ? positions.class : g.slice(positions, [0, 0, 0], [1, 1, width]);
    const placed = g.add(token, own);
    return claimAs(g.concat([g.broadcast(placed, [batch, 1, width]), tokens], 1));
  },
);

/**
 * Puts the class token and that of distillation, with rows 0 and 1 of positions [1, P, D] added, in front of tokens [B, V, D] -> [B, 2 + V, D].
 */
export const prependTwoTokens = layer(
  "prependTwoTokens",
  <B extends Rows, V extends number, D extends number, P extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    first: Tensor<[1, 1, NoInfer<D>]>,
    second: Tensor<[1, 1, NoInfer<D>]>,
    positions: Tensor<[1, P, NoInfer<D>]>,
  ): Sequence<B, 2, V, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    const placed = g.add(g.concat([first, second], 1), g.slice(positions, [0, 0, 0], [1, 2, width]));
    return claimAs(g.concat([g.broadcast(placed, [batch, 2, width]), tokens], 1));
  },
);

/** Puts a token that has no place in front of tokens [B, V, D] -> [B, 1 + V, D]. */
export const prependToken = layer(
  "prependToken",
  <B extends Rows, V extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
  ): Sequence<B, 1, V, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    return claimAs(g.concat([g.broadcast(token, [batch, 1, width]), tokens], 1));
  },
);

/** x [B, N, D] -> its first token [B, D]: the class token, where the encoder has one. */
export const firstToken = layer(
  "firstToken",
  <B extends Rows, D extends number>(g: Builder, x: Tensor<[B, number, D]>): Tensor<[B, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.reshape(g.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]));
  },
);

/** x [B, N, D] -> the mean of its first `extra` tokens [B, D]: of those in front of the patches. */
export const meanOfFront = layer(
  "meanOfFront",
  <B extends Rows, D extends number>(
    g: Builder,
    x: Tensor<[B, number, D]>,
    o: { readonly extra: number },
  ): Tensor<[B, D]> => {
    const [batch, , width] = x.shape as [number, number, number];
    return claim(g.mean(g.slice(x, [0, 0, 0], [batch, o.extra, width]), [1]));
  },
);
