/** Convolutions and largest values under windows, as StableHLO has them. The gradients of a convolution are convolutions of other sizes. */

import type { Attributes } from "../../../graph/index.js";
import { type Emitter, typeOf, type Value } from "./stablehlo.js";

/** How a convolution walks, axis by axis. */
interface Walk {
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Steps between the numbers of the left side, and of the right. */
  readonly dilations: readonly [left: readonly number[], right: readonly number[]];
  readonly groups: number;
  /** Whether the left side's first axis is in groups, in the place of its features. */
  readonly inBatches?: true;
}

/** Which axis of each side is which: `b`, `f` and the places of the left, `i`, `o` and those of the right, and of the result. */
interface Axes {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly result: readonly string[];
}

const list = (numbers: readonly number[]): string => `[${numbers.join(", ")}]`;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const places = (rank: number): readonly string[] => range(rank).map(String);

/** As the arrays and weights of a graph lie. */
const channelsLast = (rank: number): Axes => ({
  left: ["b", ...places(rank), "f"],
  right: ["o", "i", ...places(rank)],
  result: ["b", ...places(rank), "f"],
});

function convolution(
  e: Emitter,
  [x, y]: readonly [Value, Value],
  axes: Axes,
  walk: Walk,
  shape: readonly number[],
): Value {
  const { strides, before, after, dilations, groups, inBatches } = walk;
  const pad = before.map((low, axis) => `[${low}, ${after[axis]}]`).join(", ");
  const form = { shape, dtype: "float32" as const };
  const [left, right] = [e.factor(x), e.factor(y)];
  return e.emit(
    `stablehlo.convolution(${left.name}, ${right.name}) dim_numbers = [${axes.left.join(", ")}]x[${axes.right.join(", ")}]->[${axes.result.join(", ")}], ` +
      `window = {stride = ${list(strides)}, pad = [${pad}], lhs_dilate = ${list(dilations[0])}, rhs_dilate = ${list(dilations[1])}} ` +
      `{batch_group_count = ${inBatches ? groups : 1} : i64, feature_group_count = ${inBatches ? 1 : groups} : i64} : (${left.type}, ${right.type}) -> ${typeOf(form)}`,
    form,
  );
}

const ones = (rank: number): readonly number[] => new Array<number>(rank).fill(1);

/** x [B, ...S, I], weight [O, I / groups, ...K] -> [B, ...T, O] */
export function conv(
  e: Emitter,
  x: Value,
  weight: Value,
  shape: readonly number[],
  attributes: Attributes["conv"],
): Value {
  const { strides, before, after, dilations, groups } = attributes;
  const rank = strides.length;
  return convolution(
    e,
    [x, weight],
    channelsLast(rank),
    { strides, before, after, dilations: [ones(rank), dilations], groups },
    shape,
  );
}

/** y [B, ...T, O], weight [O, I / groups, ...K] -> [B, ...S, I]: y is spread by the strides, and the kernel turned round. */
export function convInput(
  e: Emitter,
  y: Value,
  weight: Value,
  shape: readonly number[],
  { strides, before, dilations, groups, size }: Attributes["convInput"],
): Value {
  const rank = strides.length;
  const [outputs = 1, each = 1, ...kernel] = weight.shape;
  const split = e.reshape(weight, [groups, outputs / groups, each, ...kernel]);
  const swapped = e.transpose(split, [0, 2, 1, ...range(rank).map((axis) => axis + 3)]);
  const joined = e.reshape(swapped, [groups * each, outputs / groups, ...kernel]);
  const turned = e.emit(
    `stablehlo.reverse ${joined.name}, dims = ${list(range(rank).map((axis) => axis + 2))} : ${typeOf(joined)}`,
    joined,
  );
  const reach = kernel.map((count, axis) => (dilations[axis] as number) * (count - 1));
  const low = reach.map((far, axis) => far - (before[axis] as number));
  const high = size.map((wanted, axis) => {
    const spread = ((y.shape[axis + 1] as number) - 1) * (strides[axis] as number) + 1;
    return wanted - spread - (low[axis] as number) + (reach[axis] as number);
  });
  const walk = { strides: ones(rank), before: low, after: high, dilations: [strides, dilations] as const, groups };
  return convolution(e, [y, turned], channelsLast(rank), walk, shape);
}

/** x [B, ...S, I], y [B, ...T, O] -> [O, I / groups, ...K]: samples are what is summed over, and y is the kernel. */
export function convWeight(
  e: Emitter,
  x: Value,
  y: Value,
  shape: readonly number[],
  { strides, before, dilations, groups, kernel }: Attributes["convWeight"],
): Value {
  const rank = strides.length;
  const after = kernel.map((count, axis) => {
    const spread = ((y.shape[axis + 1] as number) - 1) * (strides[axis] as number) + 1;
    return (
      (count - 1) * (dilations[axis] as number) + spread - (x.shape[axis + 1] as number) - (before[axis] as number)
    );
  });
  const axes = {
    left: ["f", ...places(rank), "b"],
    right: ["i", ...places(rank), "o"],
    result: ["f", "b", ...places(rank)],
  };
  const walk = {
    strides: dilations,
    before,
    after,
    dilations: [ones(rank), strides] as const,
    groups,
    inBatches: true as const,
  };
  return convolution(e, [x, y], axes, walk, shape);
}

/** What windows over [B, ...S, C] are told. */
function windowText({ strides, before, after, kernel }: Attributes["maxPool"]): string {
  const around = (numbers: readonly number[], first: number): string => [first, ...numbers, first].join(", ");
  const pad = [[0, 0], ...before.map((low, axis) => [low, after[axis] as number]), [0, 0]];
  return (
    `window_dimensions = array<i64: ${around(kernel, 1)}>, window_strides = array<i64: ${around(strides, 1)}>, ` +
    `padding = dense<[${pad.map((pair) => `[${pair.join(", ")}]`).join(", ")}]> : tensor<${pad.length}x2xi64>`
  );
}

const least = (e: Emitter): Value => e.scalar(Number.NEGATIVE_INFINITY);

export function maxPool(e: Emitter, x: Value, shape: readonly number[], attributes: Attributes["maxPool"]): Value {
  const start = least(e);
  const form = { shape, dtype: "float32" as const };
  return e.emit(
    `"stablehlo.reduce_window"(${x.name}, ${start.name}) ({ ^bb0(%wa: tensor<f32>, %wb: tensor<f32>): ` +
      `%wc = stablehlo.maximum %wa, %wb : tensor<f32> stablehlo.return %wc : tensor<f32> }) ` +
      `{${windowText(attributes)}} : (${typeOf(x)}, ${typeOf(start)}) -> ${typeOf(form)}`,
    form,
  );
}

/** To the first of the largest: a later one takes its place only where it is larger. */
export function maxPoolGrad(e: Emitter, dy: Value, x: Value, attributes: Attributes["maxPoolGrad"]): Value {
  const zero = e.scalar(0);
  return e.emit(
    `"stablehlo.select_and_scatter"(${x.name}, ${dy.name}, ${zero.name}) ` +
      `({ ^bb0(%wa: tensor<f32>, %wb: tensor<f32>): %wc = stablehlo.compare GE, %wa, %wb, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1> stablehlo.return %wc : tensor<i1> }, ` +
      `{ ^bb0(%wa: tensor<f32>, %wb: tensor<f32>): %wc = stablehlo.add %wa, %wb : tensor<f32> stablehlo.return %wc : tensor<f32> }) ` +
      `{${windowText(attributes)}} : (${typeOf(x)}, ${typeOf(dy)}, ${typeOf(zero)}) -> ${typeOf(x)}`,
    x,
  );
}
