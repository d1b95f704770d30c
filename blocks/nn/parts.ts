/**
 * Of parts of clouds: what the groups of a cloud tell brought to each of its points, and what each point is made into. Behind the groups that a
 * model reads stand all points, as many behind each, and behind the coordinates of a point may stand the class of its cloud.
 */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { type BatchNormParameters, batchNormed, batchNormParameters } from "./batch-norm.js";
import { claim, declarer, layer } from "./layer.js";
import {
  type LinearParameters,
  linear,
  linearParameters,
  type ProjectionParameters,
  project,
  projectionParameters,
} from "./linear.js";

/** What enters a model: groups with all points behind them, [B, N, K + R, C]. */
type Cloud<B extends Rows, N extends number> = Tensor<[B, N, number, number]>;

/** array [B, N, K + R, C] -> the groups in it, [B, N, K, 3]. */
export const groupsIn = layer(
  "groupsIn",
  <B extends Rows, N extends number, const K extends number>(
    g: Builder,
    array: Cloud<B, N>,
    { neighbours }: { readonly neighbours: K },
  ): Tensor<[B, N, K, 3]> => {
    const [batch, count] = array.shape as readonly [number, number, number, number];
    return claim(g.slice(array, [0, 0, 0, 0], [batch, count, neighbours, 3]));
  },
);

/** array [B, N, K + R, C] -> all points of the cloud, [B, N R, 3]. */
export const pointsBehind = layer(
  "pointsBehind",
  <B extends Rows, const P extends number>(
    g: Builder,
    array: Cloud<B, number>,
    { neighbours, points }: { readonly neighbours: number; readonly points: P },
  ): Tensor<[B, P, 3]> => {
    const [batch, count] = array.shape as readonly [number, number, number, number];
    return claim(
      g.reshape(g.slice(array, [0, 0, neighbours, 0], [batch, count, points / count, 3]), [batch, points, 3]),
    );
  },
);

/** array [B, N, K + R, 4] -> 1 at the class of each cloud and 0 elsewhere, [B, classes]. */
export const classOfCloud = layer(
  "classOfCloud",
  <B extends Rows, const C extends number>(
    g: Builder,
    array: Cloud<B, number>,
    { classes }: { readonly classes: C },
  ): Tensor<[B, C]> => {
    const [batch] = array.shape as readonly [number, number, number, number];
    const own = g.reshape(g.slice(array, [0, 0, 0, 3], [batch, 1, 1, 1]), [batch, 1]);
    const every = g.constant(
      Int32Array.from({ length: classes }, (_, k) => k),
      [1, classes],
      "int32",
    );
    return claim(g.cast(g.equal(g.cast(own, "int32"), every), "float32"));
  },
);

/** A linear layer and a batch norm. */
export type PointUnitParameters<I extends number, O extends number> = {
  readonly fc: LinearParameters<I, O>;
  readonly norm: BatchNormParameters<O>;
};

export const pointUnitParameters = declarer(
  "pointUnitParameters",
  (inputs: number, outputs: number): PointUnitParameters<number, number> => ({
    fc: linearParameters(inputs, outputs),
    norm: batchNormParameters(outputs),
  }),
) as unknown as <I extends number, O extends number>(inputs: I, outputs: O) => PointUnitParameters<I, O>;

/** x [B, P, I] -> [B, P, O]: linear, normed over all points of the batch, and nothing below zero. */
export const pointUnit = layer(
  "pointUnit",
  <B extends Rows, P extends number, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, P, I]>,
    w: Weights<PointUnitParameters<NoInfer<I>, O>>,
  ): Tensor<[B, P, O]> => claim(g.maximum(batchNormed(g, linear(g, x, w.fc as never) as Tensor, w.norm as never), 0)),
);

/** A linear layer without biases and a batch norm, of the class of a cloud. */
export type ClassUnitParameters<I extends number, O extends number> = {
  readonly fc: ProjectionParameters<I, O>;
  readonly norm: BatchNormParameters<O>;
};

export const classUnitParameters = declarer(
  "classUnitParameters",
  (inputs: number, outputs: number): ClassUnitParameters<number, number> => ({
    fc: projectionParameters(inputs, outputs),
    norm: batchNormParameters(outputs),
  }),
) as unknown as <I extends number, O extends number>(inputs: I, outputs: O) => ClassUnitParameters<I, O>;

/** Of what is below zero this share is kept. */
const leak = 0.2;

/** x [B, I] -> [B, O]: linear, normed over the batch, and a fifth of what is below zero. */
export const classUnit = layer(
  "classUnit",
  <B extends Rows, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, I]>,
    w: Weights<ClassUnitParameters<NoInfer<I>, O>>,
  ): Tensor<[B, O]> => {
    const normed = batchNormed(g, project(g, x, w.fc as never) as Tensor, w.norm as never);
    return claim(g.maximum(normed, g.mul(normed, leak)));
  },
);

/** Features of several layers at the places of groups, [B, N, 1, D] each -> side by side, [B, N, F]. */
export const besideEachOther = layer(
  "besideEachOther",
  <B extends Rows, N extends number, const F extends number>(
    g: Builder,
    maps: readonly Tensor<[B, N, 1, number]>[],
    _: { readonly features: F },
  ): Tensor<[B, N, F]> => {
    const [batch, count] = (maps[0] as Tensor).shape as readonly [number, number, number, number];
    const flat = maps.map((map) => g.reshape(map, [batch, count, map.shape[3] as number]));
    return claim(flat.length === 1 ? (flat[0] as Tensor) : g.concat(flat, 2));
  },
);

/** Centres from which a point takes features, and what is added to squared distances: that of a point from itself is zero. */
const [taken, nearZero] = [3, 1e-8];

/** Shares [B, P, N] of the three nearest centres of each point, by the inverse of their squared distances. */
function sharesOf(g: Builder, points: Tensor, centres: Tensor): Tensor {
  const [batch, p] = points.shape as readonly [number, number, number];
  const n = centres.shape[1] as number;
  const apart = g.sub(g.reshape(points, [batch, p, 1, 3]), g.reshape(centres, [batch, 1, n, 3]));
  const far = g.sum(g.mul(apart, apart), [3]); // [B, P, N]
  const every = g.constant(
    Int32Array.from({ length: n }, (_, k) => k),
    [1, 1, n],
    "int32",
  );
  // What is taken already becomes far.
  const beyond = g.add(g.reduceMax(far, [1, 2], "keep"), 1);
  let [left, chosen] = [far, g.constant(new Float32Array(n), [1, 1, n])];
  for (let k = 0; k < Math.min(taken, n); k++) {
    const nearest = g.cast(g.equal(g.reshape(g.argMax(g.mul(left, -1)), [batch, p, 1]), every), "float32");
    chosen = g.add(chosen, nearest);
    left = g.add(left, g.mul(nearest, beyond));
  }
  const shares = g.div(chosen, g.add(far, nearZero));
  return g.div(shares, g.sum(shares, [2], "keep"));
}

/**
 * features [B, N, F] of groups around `centres` [B, N, 3], brought to `points` [B, P, 3]: from the three nearest centres, behind the point's own
 * coordinates, [B, P, 3 + F] (Qi et al., PointNet++, NeurIPS 2017).
 */
export const featuresOfPoints = layer(
  "featuresOfPoints",
  <B extends Rows, N extends number, P extends number, F extends number, const O extends number>(
    g: Builder,
    features: Tensor<[B, N, F]>,
    centres: Tensor<[NoInfer<B>, NoInfer<N>, 3]>,
    points: Tensor<[NoInfer<B>, P, 3]>,
    _: { readonly features: O },
  ): Tensor<[B, P, O]> => claim(g.concat([points, g.matmul(sharesOf(g, points, centres), features)], 2)),
);

/** features [B, N, F] -> the largest and the mean of each over all groups, [B, 2 F]. */
export const largestAndMean = layer(
  "largestAndMean",
  <B extends Rows, const O extends number>(
    g: Builder,
    features: Tensor<[B, number, number]>,
    _: { readonly features: O },
  ): Tensor<[B, O]> => claim(g.concat([g.reduceMax(features, [1]), g.mean(features, [1])], 1)),
);

/** x [B, P, D] of points, and vectors [B, ...] of their cloud -> the vectors behind each point, [B, P, O]. */
export const besideEach = layer(
  "besideEach",
  <B extends Rows, P extends number, const O extends number>(
    g: Builder,
    x: Tensor<[B, P, number]>,
    vectors: readonly Tensor<[NoInfer<B>, number]>[],
    _: { readonly features: O },
  ): Tensor<[B, P, O]> => {
    const [batch, points] = x.shape as readonly [number, number, number];
    const spread = vectors.map((vector) => {
      const width = vector.shape[1] as number;
      return g.broadcast(g.reshape(vector, [batch, 1, width]), [batch, points, width]);
    });
    return claim(g.concat([x, ...spread], 2));
  },
);

/** x [B, P, D], each number multiplied by one of drops [B, numbers] from `first` on. */
export const droppedOfPoints = layer(
  "droppedOfPoints",
  <B extends Rows, P extends number, D extends number>(
    g: Builder,
    x: Tensor<[B, P, D]>,
    drops: Tensor<[NoInfer<B>, number]>,
    { first }: { readonly first: number },
  ): Tensor<[B, P, D]> => {
    const [batch, ...sizes] = x.shape as readonly [number, number, number];
    return claim(g.mul(x, g.reshape(g.slice(drops, [0, first], [batch, sizeOf(sizes)]), [batch, ...sizes])));
  },
);
