/**
 * From the features of the patches of a sample to clusters of them, and from these to the order of a mask. No gradient passes back through any
 * of it.
 */

import type { Builder, Tensor } from "../../graph/index.js";
import { placesIn } from "./boxes.js";
import { placesInOrder } from "./guided-masks.js";
import { claim, layer } from "./layer.js";
import { directions } from "./sphere.js";

/** Products by which a matrix becomes its largest direction: a power of 2 to this. */
const squarings = 12;
/** Least similarity of two patches, so that every patch is near to some. */
const leastSimilarity = 1e-5;
/** Rounds in which clusters find their middles. */
const rounds = 6;

/** Numbers from which no direction is far. */
const start = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.cos(1 + i * i));

/** 1 where a condition holds, 0 elsewhere. */
const flag = (g: Builder, condition: Tensor): Tensor => g.cast(condition, "float32");

/** x [..., D] divided by its length. */
const directed = (g: Builder, x: Tensor): Tensor => directions(g, x, 1e-12);

/** features [B, N, D] -> directions [B, N, D] */
const detachedDirections = (g: Builder, features: Tensor): Tensor => directed(g, g.stopGradient(features));

/** m [B, N, N], symmetric and without negative eigenvalues -> the eigenvector of the largest, of length 1, [B, N]. */
function largestDirection(g: Builder, m: Tensor): Tensor {
  const [batch, count] = m.shape as readonly [number, number, number];
  let power = m;
  for (let i = 0; i < squarings; i++) {
    const size = g.sqrt(g.add(g.sum(g.mul(power, power), [1, 2]), 1e-30));
    const scaled = g.div(power, g.reshape(size, [batch, 1, 1]));
    power = g.matmul(scaled, scaled);
  }
  const from = g.broadcast(g.constant(start(count), [1, count, 1]), [batch, count, 1]);
  return directed(g, g.reshape(g.matmul(power, from), [batch, count]));
}

/** Similarities [B, N, N] -> the second smallest eigenvector of the normalised cut, [B, N]. */
function normalizedCut(g: Builder, similar: Tensor): Tensor {
  const [batch, count] = similar.shape as readonly [number, number, number];
  const near = g.maximum(similar, leastSimilarity);
  const root = g.sqrt(g.sum(near, [2])); // [B, N]
  const scaled = g.div(near, g.matmul(g.reshape(root, [batch, count, 1]), g.reshape(root, [batch, 1, count])));
  const first = directed(g, root); // known: that of the eigenvalue 0
  const known = g.matmul(g.reshape(first, [batch, count, 1]), g.reshape(first, [batch, 1, count]));
  const self = g.constant(
    Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 0.5 : 0)),
    [1, count, count],
  );
  return g.div(largestDirection(g, g.sub(g.add(g.mul(scaled, 0.5), self), known)), root);
}

/** x [B, N, D] -> of each patch its part of the first principal component, [B, N]. */
function firstComponent(g: Builder, x: Tensor): Tensor {
  const [batch, count, width] = x.shape as readonly [number, number, number];
  const centred = g.sub(x, g.reshape(g.mul(g.sum(x, [1]), 1 / count), [batch, 1, width]));
  return largestDirection(g, g.matmul(centred, centred, { b: true }));
}

/**
 * features [B, N, D] -> how near each patch is to the middle of a cluster, [B, N]: of two, the one whose patches are surer to be of it. They are
 * told apart by the sign of the second eigenvector of the normalised cut, or of the first principal component.
 */
export const nearToCluster = layer(
  "nearToCluster",
  <N extends number>(
    g: Builder,
    features: Tensor<["B", N, number]>,
    o: { readonly cut: "normalized" | "principal" },
  ): Tensor<["B", N]> => {
    const [batch, count] = features.shape as unknown as readonly [number, number, number];
    const x = detachedDirections(g, features);
    const side = o.cut === "principal" ? firstComponent(g, x) : normalizedCut(g, g.matmul(x, x, { b: true }));
    const above = g.sub(g.constant(1), flag(g, g.lessEqual(side, 0))); // [B, N]
    const below = g.sub(g.constant(1), above);
    const sure = (inside: Tensor): Tensor =>
      g.div(g.sum(g.mul(g.maximum(side, g.neg(side)), inside), [1]), g.maximum(g.sum(inside, [1]), 1)); // [B]
    const isBelow = g.reshape(flag(g, g.less(sure(above), sure(below))), [batch, 1]);
    const inside = g.add(above, g.mul(isBelow, g.sub(below, above)));
    const sum = g.matmul(g.reshape(inside, [batch, 1, count]), x); // [B, 1, D]
    return claim(g.reshape(g.matmul(x, directed(g, sum), { b: true }), [batch, count]));
  },
);

/** 1 for the `most` of those that are inside with the smallest keys in [0, 1), [B, N]. */
const someInside = (g: Builder, inside: Tensor, keys: Tensor, most: Tensor): Tensor =>
  flag(g, g.less(g.cast(placesInOrder(g, g.argSort(g.sub(keys, inside))), "float32"), most));

/**
 * order int32 [B, N] whose last patches, as many as `hidden` [B, U] has, are hidden; draws [B, 2 N] in [0, 1); share [] -> an order that shows some
 * of them as hints: a share of the hidden ones is shown, and as many of all that is then visible are hidden.
 */
export const withHints = layer(
  "withHints",
  <N extends number, U extends number, M extends number>(
    g: Builder,
    order: Tensor<["B", N], "int32">,
    draws: Tensor<["B", M]>,
    share: Tensor<[]>,
    o: { readonly hidden: Tensor<["B", U], "int32"> },
  ): Tensor<["B", N], "int32"> => {
    const [batch, count] = order.shape as unknown as readonly [number, number];
    const hidden = (o.hidden.shape as readonly unknown[])[1] as number;
    const [first, second] = [0, count].map((at) => g.slice(draws, [0, at], [batch, count])) as [Tensor, Tensor];
    const place = g.cast(placesInOrder(g, order), "float32");
    const closed = g.sub(g.constant(1), flag(g, g.less(place, count - hidden)));
    const most = g.floor(g.add(g.mul(share, hidden), 0.5));
    const hints = someInside(g, closed, first, most);
    const open = g.add(g.sub(g.constant(1), closed), hints);
    const again = someInside(g, open, second, most);
    return claim(g.argSort(g.add(place, g.mul(g.add(g.sub(closed, hints), again), count))));
  },
);

/**
 * features [B, N, D], drawn int32 [B, N]: the place of each patch in a random order -> 1 where a patch is of a cluster, [B, N, K]. The first
 * patches of that order are the first middles.
 */
export const clusters = layer(
  "clusters",
  <N extends number, const K extends number>(
    g: Builder,
    features: Tensor<["B", N, number]>,
    drawn: Tensor<["B", NoInfer<N>], "int32">,
    o: { readonly parts: K },
  ): Tensor<["B", N, K]> => {
    const [batch, count] = features.shape as unknown as readonly [number, number, number];
    const x = detachedDirections(g, features);
    const numbers = g.constant(
      Float32Array.from({ length: o.parts }, (_, i) => i),
      [1, 1, o.parts],
    );
    const places = g.broadcast(g.reshape(g.cast(drawn, "float32"), [batch, count, 1]), [batch, count, o.parts]);
    let own = flag(g, g.equal(places, numbers)); // [B, N, K]: the first middles
    for (let i = 0; i < rounds; i++) {
      const middles = directed(g, g.matmul(own, x, { a: true })); // [B, K, D]
      // Of two that are equally near, the first.
      const near = g.sub(g.matmul(x, middles, { b: true }), g.mul(numbers, 1e-6));
      own = flag(g, g.equal(near, g.broadcast(g.reduceMax(near, [2], "keep"), [batch, count, o.parts])));
    }
    return claim(own);
  },
);

/**
 * own [B, N, K]: the part of each patch; drawn int32 [B, N]; inside []: 1 where the same share of every part is hidden, 0 where whole parts are, one
 * after the other, between them a mixture -> an order whose last patches, as many as `hidden` [B, U] has, are hidden.
 */
export const partsHidden = layer(
  "partsHidden",
  <N extends number, K extends number, U extends number>(
    g: Builder,
    own: Tensor<["B", N, K]>,
    drawn: Tensor<["B", NoInfer<N>], "int32">,
    inside: Tensor<[]>,
    o: { readonly hidden: Tensor<["B", U], "int32"> },
  ): Tensor<["B", N], "int32"> => {
    const [batch, count, parts] = own.shape as unknown as readonly [number, number, number];
    const hidden = (o.hidden.shape as readonly unknown[])[1] as number;
    const place = g.cast(drawn, "float32");
    const rows = g.broadcast(g.reshape(place, [batch, count, 1]), [batch, count, count]);
    const earlier = flag(g, g.less(g.reshape(place, [batch, 1, count]), rows));
    const rank = g.sum(g.mul(g.matmul(own, own, { b: true }), earlier), [2]); // [B, N]: within the part
    const sizes = g.reshape(g.sum(own, [1]), [batch, 1, parts]);
    const triangle = Float32Array.from({ length: parts * parts }, (_, i) =>
      Math.floor(i / parts) < i % parts ? 1 : 0,
    );
    const before = g.matmul(sizes, g.broadcast(g.constant(triangle, [1, parts, parts]), [batch, parts, parts]));
    const rounded = (x: Tensor): Tensor => g.floor(g.add(x, 0.5));
    const ofEach = rounded(g.mul(sizes, hidden / count));
    const whole = g.minimum(sizes, g.maximum(g.sub(g.constant(hidden), before), 0));
    const both = rounded(g.add(g.mul(ofEach, inside), g.mul(whole, g.sub(g.constant(1), inside))));
    const most = g.reshape(g.matmul(own, both, { b: true }), [batch, count]);
    return claim(g.argSort(g.add(place, g.mul(flag(g, g.less(rank, most)), count))));
  },
);

/**
 * features [B, N, D], own [B, N, K]: the part of each patch; drawn int32 [B, N], draws [B, 1] in [0, 1) -> an order that shows whole parts, and of the
 * last one the patches nearest to its middle; with a chance of `random` the drawn one. `counts`: patches along each axis.
 */
export const wholePartsSeen = layer(
  "wholePartsSeen",
  <N extends number, K extends number>(
    g: Builder,
    features: Tensor<["B", N, number]>,
    own: Tensor<["B", NoInfer<N>, K]>,
    drawn: Tensor<["B", NoInfer<N>], "int32">,
    draws: Tensor<["B", 1]>,
    o: { readonly counts: readonly number[]; readonly random: number },
  ): Tensor<["B", N], "int32"> => {
    const [batch, count, parts] = own.shape as unknown as readonly [number, number, number];
    const x = detachedDirections(g, features);
    const near = g.matmul(x, directed(g, g.matmul(own, x, { a: true })), { b: true }); // [B, N, K]
    const inside = g.add(g.mul(g.sub(own, g.constant(1)), 10), near);
    const nearest = g.broadcast(g.reduceMax(inside, [1], "keep"), [batch, count, parts]);
    const middle = flag(g, g.equal(inside, nearest)); // [B, N, K]
    const apart = g.constant(distances(o.counts), [1, count, count]);
    const away = g.matmul(g.broadcast(apart, [batch, count, count]), middle);
    const distance = g.div(g.sum(g.mul(own, away), [2]), count); // [B, N], in [0, 1)
    const numbers = g.constant(
      Float32Array.from({ length: parts }, (_, i) => i),
      [1, 1, parts],
    );
    const key = g.add(g.sum(g.mul(own, numbers), [2]), distance);
    const isRandom = g.less(g.broadcast(draws, [batch, count]), o.random);
    return claim(g.argSort(g.select(isRandom, g.cast(drawn, "float32"), key)));
  },
);

/** Of each pair of patches, how far they are from each other. */
function distances(counts: readonly number[]): Float32Array {
  const places = placesIn(counts);
  return Float32Array.from(
    places.flatMap((a) => places.map((b) => Math.hypot(...a.map((at, axis) => at - (b[axis] as number))))),
  );
}
