/** Of points in space: what a group of them becomes, where it is, positions made of that, and distances between sets of points. */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import type { Parameter, Weights } from "../parameters.js";
import { type BatchNormParameters, batchNormed, batchNormParameters } from "./batch-norm.js";
import { claim, claimAs, declarer, layer } from "./layer.js";
import { type LinearParameters, linear, linearParameters } from "./linear.js";
import { tokenParameter } from "./positions.js";
import type { Sequence } from "./tokens.js";

/** Groups of points [B, N, K, 3], each from its centre outwards. */
type Groups<B extends Rows, N extends number, K extends number> = Tensor<[B, N, K, 3]>;

/** The centre of each group, [B, N, 1, 3]. */
function centreIn(g: Builder, groups: Tensor): Tensor {
  const [batch, count] = groups.shape as [number, number, number, number];
  return g.slice(groups, [0, 0, 0, 0], [batch, count, 1, 3]);
}

/** groups [B, N, K, 3] -> their centres [B, N, 3]. */
export const groupCentres = layer(
  "groupCentres",
  <B extends Rows, N extends number, K extends number>(g: Builder, groups: Groups<B, N, K>): Tensor<[B, N, 3]> => {
    const [batch, count] = groups.shape as readonly [number, number, number, number];
    return claim(g.reshape(centreIn(g, groups), [batch, count, 3]));
  },
);

/** groups [B, N, K, 3] -> the points of each as seen from its centre. */
export const fromCentres = layer(
  "fromCentres",
  <B extends Rows, N extends number, K extends number>(g: Builder, groups: Groups<B, N, K>): Groups<B, N, K> =>
    claim(g.sub(groups, centreIn(g, groups))),
);

/** groups as seen from their centres [B, N, K, 3] -> [B, N, 3 K], point after point. */
export const pointsInRow = layer(
  "pointsInRow",
  <B extends Rows, N extends number, K extends number>(
    g: Builder,
    groups: Groups<B, N, K>,
  ): Tensor<[B, N, Mul<K, 3>]> => {
    const [batch, count, points] = groups.shape as readonly [number, number, number, number];
    return claimAs(g.reshape(groups, [batch, count, points * 3]));
  },
);

/** Named as in official checkpoints of Point-MAE: two perceptrons with a maximum over the points behind each. */
export type PointNetParameters<I extends number, D extends number> = {
  readonly first: {
    readonly fc1: LinearParameters<3, I>;
    readonly norm: BatchNormParameters<I>;
    readonly fc2: LinearParameters<I, Mul<2, I>>;
  };
  readonly second: {
    readonly fc1: LinearParameters<Mul<4, I>, Mul<4, I>>;
    readonly norm: BatchNormParameters<Mul<4, I>>;
    readonly fc2: LinearParameters<Mul<4, I>, D>;
  };
};

export const pointNetParameters = declarer(
  "pointNetParameters",
  ({ inner, width }: { readonly inner: number; readonly width: number }): PointNetParameters<number, number> => ({
    first: {
      fc1: linearParameters(3, inner),
      norm: batchNormParameters(inner),
      fc2: linearParameters(inner, 2 * inner),
    },
    second: {
      fc1: linearParameters(4 * inner, 4 * inner),
      norm: batchNormParameters(4 * inner),
      fc2: linearParameters(4 * inner, width),
    },
  }),
) as unknown as <const I extends number, const D extends number>(size: {
  readonly inner: I;
  readonly width: D;
}) => PointNetParameters<I, D>;

type OpenPerceptron = {
  readonly fc1: LinearParameters<number, number>;
  readonly norm: BatchNormParameters<number>;
  readonly fc2: LinearParameters<number, number>;
};

type Points = Tensor<[Rows, number, number, number]>;

/** x [B, N, K, I] -> [B, N, K, O], with a norm over all points of all groups of the batch. */
function perceived(g: Builder, x: Points, { fc1, norm, fc2 }: Weights<OpenPerceptron>): Points {
  const inner = batchNormed(g, linear(g, x, fc1), norm) as Points;
  return linear(g, g.maximum(inner, 0), fc2);
}

/** groups as seen from their centres [B, N, K, 3] -> a token of each [B, N, D], whatever the order of its points. */
export const pointNet = layer(
  "pointNet",
  <B extends Rows, N extends number, K extends number, I extends number, D extends number>(
    g: Builder,
    groups: Groups<B, N, K>,
    w: Weights<PointNetParameters<I, D>>,
  ): Tensor<[B, N, D]> => {
    const { first, second } = w as unknown as { readonly [S in "first" | "second"]: Weights<OpenPerceptron> };
    const each = perceived(g, claim(groups), first); // [B, N, K, 2 I]
    const whole = g.broadcast(g.reduceMax(each, [2], "keep"), [...each.shape]);
    return claim(g.reduceMax(perceived(g, claim(g.concat([whole, each], 3)), second), [2]));
  },
);

/** A perceptron that makes a position of coordinates, and a learned one of each token in front, which has no place. */
export type CoordinateParameters<H extends number, D extends number> = {
  readonly fc1: LinearParameters<3, H>;
  readonly fc2: LinearParameters<H, D>;
  readonly class?: Parameter<[1, 1, D]>;
};

export const coordinateParameters = declarer(
  "coordinateParameters",
  ({
    hidden,
    width,
    extra,
  }: {
    readonly hidden: number;
    readonly width: number;
    readonly extra: number;
  }): CoordinateParameters<number, number> => ({
    fc1: linearParameters(3, hidden),
    fc2: linearParameters(hidden, width),
    ...(extra > 0 ? { class: tokenParameter(width) } : {}),
  }),
) as unknown as <const H extends number, const D extends number, const E extends 0 | 1>(size: {
  readonly hidden: H;
  readonly width: D;
  readonly extra: E;
}) => E extends 0 ? Omit<CoordinateParameters<H, D>, "class"> : Required<CoordinateParameters<H, D>>;

type Placing<H extends number, D extends number> = Weights<Omit<CoordinateParameters<H, D>, "class">> & {
  readonly class?: Tensor<[1, 1, NoInfer<D>]> | undefined;
};

/** centres [B, N, 3] -> the positions of their tokens [B, N, D]. */
export const coordinatePositions = layer(
  "coordinatePositions",
  <B extends Rows, N extends number, H extends number, D extends number>(
    g: Builder,
    centres: Tensor<[B, N, 3]>,
    w: Placing<H, D>,
  ): Tensor<[B, N, D]> => claim(linear(g, g.gelu(linear(g, centres, w.fc1)), w.fc2)),
);

/** positions [B, N, D] with that of a token in front of them [1, 1, D] -> [B, 1 + N, D]. */
export const prependPosition = layer(
  "prependPosition",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    positions: Tensor<[B, N, D]>,
    front: Tensor<[1, 1, NoInfer<D>]>,
  ): Sequence<B, 1, N, D> => {
    const [batch, , width] = positions.shape as readonly [number, number, number];
    return claimAs(g.concat([g.broadcast(front, [batch, 1, width]), positions], 1));
  },
);

/** Of each point of a [S, P, 3] the squared distance to the nearest of b [S, Q, 3], [S, P], and the same the other way, [S, Q]. */
function nearest(g: Builder, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const [sets, p] = a.shape as readonly [number, number, number];
  const q = b.shape[1] as number;
  const apart = g.sub(g.reshape(a, [sets, p, 1, 3]), g.reshape(b, [sets, 1, q, 3]));
  const far = g.mul(g.sum(g.mul(apart, apart), [3]), -1); // [S, P, Q]
  return [g.mul(g.reduceMax(far, [2]), -1), g.mul(g.reduceMax(far, [1]), -1)];
}

/** Squared distances below it count as this. */
const meeting = 1e-20;

/**
 * prediction and target [B, N, 3 K], sets of points one after the other -> how far each point is from the nearest of the other set: the mean
 * over all points of both sets, added. `power` 2: of squared distances; 1: of distances, and half of the sum.
 */
export const chamferDistance = layer(
  "chamferDistance",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, number]>,
    o: { readonly power: number },
  ): Tensor<[]> => {
    const sets = ({ shape: [batch, count, values] }: Tensor) => [
      (batch as number) * (count as number),
      (values as number) / 3,
      3,
    ];
    const squares = nearest(g, g.reshape(prediction, sets(prediction)), g.reshape(target, sets(target)));
    if (o.power === 2) return claim(g.add(g.mean(squares[0]), g.mean(squares[1])));
    // Where points meet there is no direction to move in, and no gradient.
    const [own, its] = squares.map((square) => g.mean(g.sqrt(g.maximum(square, meeting)))) as [Tensor, Tensor];
    return claim(g.mul(g.add(own, its), 0.5));
  },
);
