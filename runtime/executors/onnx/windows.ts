/**
 * Convolutions and pooling as ONNX nodes: as products of matrices where that is faster, then on onnxruntime's blocked layout where it has
 * such a kernel, else as ONNX has them, with channels before the other axes and a transpose on each side. The gradients are convolutions
 * too, which onnxruntime computes faster than its transposed ones; for weights it has no gradient.
 */

import type { Attributes, Convolution, Node } from "../../../graph/index.js";
import { blockedConv, blockedConvInput, blockedConvWeight } from "./blocked-windows.js";
import { dataTypes, int, ints } from "./fields.js";
import type { OnnxModel } from "./model.js";
import { counted, inputShape, reshaped, reversed, type Shape, transposed } from "./moves.js";
import {
  byPhases,
  convAsProduct,
  convInputAsProduct,
  convWeightAsProduct,
  offsetsIn,
  shifted,
  spread,
  zeros,
} from "./window-products.js";

/** [B, ...S, C] -> [B, C, ...S] */
const channelsFirst = (m: OnnxModel, x: string, rank: number): string =>
  transposed(m, x, [0, rank - 1, ...counted(1, rank - 1)]);
/** [B, C, ...S] -> [B, ...S, C] */
const channelsLast = (m: OnnxModel, x: string, rank: number): string => transposed(m, x, [0, ...counted(2, rank), 1]);

/** Where windows lie, as attributes of Conv, ConvTranspose and MaxPool. */
const attributesOf = (
  kernel: Shape,
  { strides, before, after, dilations, groups }: Attributes["maxPool" | "conv"] & Partial<Convolution>,
) => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  pads: ints([...before, ...after]),
  ...(dilations ? { dilations: ints(dilations) } : {}),
  ...(groups === undefined ? {} : { group: int(groups) }),
});

/**
 * x [B, I, ...] by a weight [O, I / groups, ...]. Along three axes each group is a convolution of its own: onnxruntime's WebGPU provider
 * has none of several groups there.
 */
function convolved(
  m: OnnxModel,
  x: string,
  weight: string,
  [o = 0, inner = 0]: Shape,
  kernel: Shape,
  c: Convolution,
): string {
  const { groups } = c;
  if (groups === 1 || kernel.length < 3) return m.op("Conv", [x, weight], attributesOf(kernel, c));
  const part = (of: string, axis: number, size: number, group: number): string =>
    m.op("Slice", [of, m.sizes([group * size]), m.sizes([(group + 1) * size]), m.sizes([axis])]);
  const parts = counted(0, groups).map((group) => {
    const pair = [part(x, 1, inner, group), part(weight, 0, o / groups, group)];
    return m.op("Conv", pair, attributesOf(kernel, { ...c, groups: 1 }));
  });
  return m.op("Concat", parts, { axis: int(1) });
}

export function conv(m: OnnxModel, inputs: readonly string[], node: Node<"conv">): string {
  const made = convAsProduct(m, inputs, node) ?? blockedConv(m, inputs, node);
  if (made !== null) return made;
  const [x = "", weight = ""] = inputs;
  const rank = inputShape(node, 0).length;
  const shape = inputShape(node, 1);
  const y = convolved(m, channelsFirst(m, x, rank), weight, shape, shape.slice(2), node.attributes);
  return channelsLast(m, y, rank);
}

/** A weight [O, I / groups, ...K] for the other direction: [I, O / groups, ...K], its windows turned about. */
function turnedAbout(m: OnnxModel, weight: string, [o = 0, inner = 0, ...kernel]: Shape, groups: number): string {
  const grouped = reshaped(m, weight, [groups, o / groups, inner, ...kernel]);
  const exchanged = transposed(m, grouped, [0, 2, 1, ...counted(3, 3 + kernel.length)]);
  const other = reshaped(m, exchanged, [groups * inner, o / groups, ...kernel]);
  const axes = kernel.flatMap((n, axis) => (n === 1 ? [] : [axis + 2]));
  return axes.length === 0 ? other : reversed(m, other, axes);
}

/** As a convolution by the weight turned about, of y with zeros between its numbers; by ConvTranspose along up to two axes. */
export function convInput(m: OnnxModel, inputs: readonly string[], node: Node<"convInput">): string {
  const product = convInputAsProduct(m, inputs, node) ?? blockedConvInput(m, inputs, node);
  if (product !== null) return product;
  const [y = "", weight = ""] = inputs;
  const [shape, { size, strides, dilations, before, after, groups }] = [inputShape(node, 1), node.attributes];
  const kernel = shape.slice(2);
  const places = inputShape(node, 0).slice(1, -1);
  const rank = places.length + 2;
  const first = channelsFirst(m, y, rank);
  const [o = 0, inner = 0] = shape;
  const turned: Shape = [groups * inner, o / groups];
  const reach = kernel.map((n, axis) => (dilations[axis] as number) * (n - 1));
  const around = (padding: Shape): Shape => reach.map((n, axis) => n - (padding[axis] as number));
  const [begin, end] = [around(before), around(after)];
  if (strides.every((n) => n === 1) && [...begin, ...end].every((n) => n >= 0)) {
    const other = turnedAbout(m, weight, shape, groups);
    const windows = { strides, dilations, before: begin, after: end, groups };
    return channelsLast(m, convolved(m, first, other, turned, kernel, windows), rank);
  }
  const uncovered = size.map((n, axis) => {
    const [stride, place] = [strides[axis] as number, places[axis] as number];
    const covered = stride * (place - 1) + (reach[axis] as number) + 1;
    return n + (before[axis] as number) + (after[axis] as number) - covered;
  });
  if (places.length > 2) {
    // onnxruntime's WebGPU provider has no ConvTranspose along three axes.
    const behind = end.map((n, axis) => n + (uncovered[axis] as number) - (strides[axis] as number) + 1);
    const wide = channelsFirst(m, spread(m, y, inputShape(node, 0), strides, begin, behind), rank);
    const ones = places.map(() => 1);
    const none = places.map(() => 0);
    const windows = { strides: ones, dilations, before: none, after: none, groups };
    const other = turnedAbout(m, weight, shape, groups);
    return channelsLast(m, convolved(m, wide, other, turned, kernel, windows), rank);
  }
  const attributes = { ...attributesOf(kernel, node.attributes), output_padding: ints(uncovered) };
  return channelsLast(m, m.op("ConvTranspose", [first, weight], attributes), rank);
}

/** x without the rows behind it that no window reaches: where `missing` is negative. */
function cut(m: OnnxModel, x: string, size: Shape, missing: Shape): string {
  const axes = missing.flatMap((n, axis) => (n < 0 ? [axis] : []));
  if (axes.length === 0) return x;
  const ends = axes.map((axis) => (size[axis] as number) + (missing[axis] as number));
  const starts = m.sizes(axes.map(() => 0));
  return m.op("Slice", [x, starts, m.sizes(ends), m.sizes(axes.map((axis) => axis + 2))]);
}

/** A convolution of x by y over the samples: what were strides between windows are steps inside them, and the reverse. */
export function convWeight(m: OnnxModel, inputs: readonly string[], node: Node<"convWeight">): string {
  const product = convWeightAsProduct(m, inputs, node) ?? blockedConvWeight(m, inputs, node);
  if (product !== null) return product;
  const [x = "", y = ""] = inputs;
  const { kernel, strides, dilations, before, groups } = node.attributes;
  const [batch = 0, ...rest] = inputShape(node, 0);
  const [size, inner] = [rest.slice(0, -1), (rest.at(-1) as number) / groups];
  const places = inputShape(node, 1).slice(1, -1);
  const axes = counted(1, size.length + 1);
  const split = groups === 1 ? x : reshaped(m, x, [batch, ...size, groups, inner]);
  const toFront = groups === 1 ? [size.length + 1, 0, ...axes] : [size.length + 2, size.length + 1, 0, ...axes];
  const moved = transposed(m, split, toFront);
  const samples = groups === 1 ? moved : reshaped(m, moved, [inner, groups * batch, ...size]);
  const windows = transposed(m, y, [size.length + 1, 0, ...axes]);
  const after = size.map((n, axis) => {
    const reached = (strides[axis] as number) * ((places[axis] as number) - 1) + 1;
    return reached + (dilations[axis] as number) * ((kernel[axis] as number) - 1) - n - (before[axis] as number);
  });
  const made = convolved(
    m,
    cut(m, samples, size, after),
    windows,
    [inputShape(node, 1).at(-1) as number, batch],
    places,
    {
      strides: dilations,
      dilations: strides,
      before,
      after: after.map((n) => Math.max(n, 0)),
      groups,
    },
  );
  return transposed(m, made, [1, 0, ...counted(2, size.length + 2)]);
}

export function maxPool(m: OnnxModel, [x = ""]: readonly string[], node: Node<"maxPool">): string {
  const rank = inputShape(node, 0).length;
  const first = channelsFirst(m, x, rank);
  return channelsLast(m, m.op("MaxPool", [first], attributesOf(node.attributes.kernel, node.attributes)), rank);
}

/** Less than every number that comes, as a tensor. */
const lowest = (m: OnnxModel): string => m.constant("float32", Float32Array.of(-3.4e38), []);

/**
 * Each window's share goes to the first of its numbers that is the largest: number by number of the windows, what is left of dy where
 * the number is that one. onnxruntime's WebGPU provider does not tell where MaxPool found it.
 */
export function maxPoolGrad(m: OnnxModel, [dy = "", x = ""]: readonly string[], node: Node<"maxPoolGrad">): string {
  const { kernel, strides, before, after } = node.attributes;
  const [batch = 0, ...rest] = inputShape(node, 1);
  const y = inputShape(node, 0);
  const places = y.slice(1, -1);
  const [size, channels] = [rest.slice(0, -1), rest.at(-1) as number];
  const wide = m.op("Pad", [x, m.sizes([0, ...before, 0, 0, ...after, 0]), lowest(m)]);
  const spans = places.map((n, axis) => (n - 1) * (strides[axis] as number) + 1);
  const axes = m.sizes(counted(1, size.length + 1));
  const offsets = offsetsIn(kernel);
  const taps = offsets.map((from) => {
    const ends = from.map((n, axis) => n + (spans[axis] as number));
    return m.op("Slice", [wide, m.sizes(from), m.sizes(ends), axes, m.sizes(strides)]);
  });
  const largest = m.op("Max", taps);
  const shares = new Map<string, string>();
  let left = dy;
  for (const [tap, from] of offsets.entries()) {
    const found = m.op("Cast", [m.op("Equal", [taps[tap] as string, largest])], { to: int(dataTypes.float32) });
    const share = m.op("Mul", [left, found]);
    if (tap < offsets.length - 1) left = m.op("Sub", [left, share]);
    shares.set(from.join(), share);
  }
  return byPhases(m, inputShape(node, 1), node.attributes, (all, counts) => {
    const parts = all.map((tap) => {
      const share = shares.get(tap.map(({ number }) => number).join()) as string;
      return shifted(m, share, y, tap, counts);
    });
    const [first, ...others] = parts;
    if (first === undefined) return zeros(m, [batch, ...counts, channels]);
    return others.length === 0 ? first : m.op("Sum", parts);
  });
}
