/** From what a network attends to, to the order of a mask. No gradient passes back through any of it. */

import type { Add, Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** What all tokens attend to, [B, heads, M, M]. M in a step of its own: twice the sum is too deep for the compiler. */
type Attended<E extends number, N extends number> =
  Add<E, N> extends infer M extends number ? Tensor<["B", number, M, M]> : never;

/**
 * attention [B, heads, extra + N, extra + N], queries [B, N] -> how much attention each patch receives from the patches that are
 * asked, [B, N]. A query below 0 is not asked; in [0, 1) it says which head is, where heads are asked one by one.
 */
export const attentionReceived = layer(
  "attentionReceived",
  <N extends number, const E extends number>(
    g: Builder,
    attention: Attended<E, N>,
    queries: Tensor<["B", N]>,
    o: { readonly extra: E; readonly heads: "random" | "mean" },
  ): Tensor<["B", N]> => {
    const [batch, heads] = attention.shape as readonly [number, number, number, number];
    const count = queries.shape[1] as number;
    const among = g.slice(attention, [0, 0, o.extra, o.extra], [batch, heads, count, count]); // [B, heads, N, N]
    const rows = g.reshape(queries, [batch, 1, count]);
    const asked = g.sub(g.constant(1), g.cast(g.less(rows, 0), "float32")); // [B, 1, N]
    const head = g.constant(
      Float32Array.from({ length: heads }, (_, i) => i),
      [1, heads, 1],
    );
    const own = g.minimum(g.floor(g.mul(rows, heads)), heads - 1); // rounding may reach the next one
    const chosen = g.equal(g.broadcast(own, [batch, heads, count]), head);
    const each = o.heads === "mean" ? g.broadcast(g.mul(asked, 1 / heads), [batch, heads, count]) : chosen;
    const weights = g.reshape(g.cast(each, "float32"), [batch, heads, 1, count]);
    const received = g.sum(g.matmul(weights, g.stopGradient(among)), [1, 2]);
    return claim(received);
  },
);

/** attention [B, heads, extra + N, extra + N] -> how much each patch receives from the first token, the mean over heads, [B, N]. */
export const classAttention = layer(
  "classAttention",
  <N extends number, const E extends number>(
    g: Builder,
    attention: Attended<E, N>,
    o: { readonly extra: E; readonly count: N },
  ): Tensor<["B", N]> => {
    const [batch, heads] = attention.shape as readonly [number, number, number, number];
    const rows = g.slice(attention, [0, 0, 0, o.extra], [batch, heads, 1, o.count]);
    return claim(g.mul(g.sum(g.stopGradient(rows), [1, 2]), 1 / heads));
  },
);

/**
 * received [B, N], draws [B, N] in [0, 1), share [] -> the same, but for some of the `top` most attended patches, that share of them: they come
 * last.
 */
export const fewestAmongMost = layer(
  "fewestAmongMost",
  <N extends number>(
    g: Builder,
    received: Tensor<["B", N]>,
    draws: Tensor<["B", NoInfer<N>]>,
    share: Tensor<[]>,
    o: { readonly top: number },
  ): Tensor<["B", N]> => {
    const rank = g.cast(placesInOrder(g, g.argSort(g.neg(received))), "float32");
    const isTop = g.cast(g.less(rank, o.top), "float32");
    const place = g.cast(placesInOrder(g, g.argSort(g.sub(draws, isTop))), "float32");
    const shown = g.cast(g.less(place, g.floor(g.add(g.mul(share, o.top), 0.5))), "float32");
    return claim(g.sub(received, g.mul(shown, 2)));
  },
);

/**
 * received [B, N], drawn int32 [B, N]: the place of each patch in a uniformly random order, chance [] -> int32 [B, N]: an order
 * whose last patches, as many as `hidden` [B, U] has, are the most attended ones. With a chance of 1 it is as random as the drawn
 * one. Between, `pool`: they are drawn from hidden + chance (N - hidden) most attended ones; `share`: all but chance x hidden are
 * the most attended ones, the others drawn from the rest.
 */
export const mostAttendedLast = layer(
  "mostAttendedLast",
  <N extends number, U extends number>(
    g: Builder,
    received: Tensor<["B", N]>,
    drawn: Tensor<["B", NoInfer<N>], "int32">,
    chance: Tensor<[]>,
    o: { readonly hidden: Tensor<["B", U], "int32">; readonly mix: "pool" | "share" },
  ): Tensor<["B", N], "int32"> => {
    const count = received.shape[1] as number;
    const hidden = o.hidden.shape[1] as number;
    const rank = g.cast(placesInOrder(g, g.argSort(g.neg(g.stopGradient(received)))), "float32"); // 0: the most attended
    const place = g.cast(drawn, "float32");
    const rounded = (x: Tensor): Tensor => g.floor(g.add(x, 0.5));
    if (o.mix === "pool") {
      const size = rounded(g.add(g.mul(chance, count - hidden), hidden));
      return claim(g.argSort(g.select(g.less(rank, size), place, g.sub(place, count))));
    }
    const certain = rounded(g.mul(g.sub(g.constant(1), chance), hidden));
    return claim(g.argSort(g.select(g.less(rank, certain), g.add(place, count), place)));
  },
);

/** Numbers [B, N] the other way round. */
export const negated = layer(
  "negated",
  <N extends number>(g: Builder, x: Tensor<["B", N]>): Tensor<["B", N]> => claim(g.neg(x)),
);

/** order int32 [B, N] -> the place of each patch in it, [B, N]. */
export const placesOfOrder = layer(
  "placesOfOrder",
  <N extends number>(g: Builder, order: Tensor<["B", N], "int32">): Tensor<["B", N]> =>
    claim(g.cast(placesInOrder(g, order), "float32")),
);

/** order int32 [B, N] -> the place of each patch in it, int32 [B, N]. */
export const placesInOrder = (g: Builder, order: Tensor): Tensor => g.argSort(g.cast(order, "float32"));
