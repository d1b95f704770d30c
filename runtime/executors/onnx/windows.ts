/**
 * Convolutions and pooling as ONNX nodes. ONNX has channels before the other axes, so each is between two transposes; but windows of one
 * number are products of matrices, as the numbers lie. The gradients are convolutions too: onnxruntime does those faster than its transposed
 * ones, and has none for weights. Of one group, the gradient of weights is a product for each number of a window.
 */

import { type Attributes, type Convolution, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { depthwise, depthwiseInput, depthwiseWeight, isDepthwise } from "./depthwise.js";
import { dataTypes, int, ints } from "./fields.js";
import type { OnnxModel } from "./model.js";

type Shape = readonly number[];

const transposed = (m: OnnxModel, x: string, permutation: Shape): string =>
  m.op("Transpose", [x], { perm: ints(permutation) });
const counted = (from: number, to: number): Shape => Array.from({ length: to - from }, (_, i) => from + i);
/** [B, ...S, C] -> [B, C, ...S] */
const channelsFirst = (m: OnnxModel, x: string, rank: number): string =>
  transposed(m, x, [0, rank - 1, ...counted(1, rank - 1)]);
/** [B, C, ...S] -> [B, ...S, C] */
const channelsLast = (m: OnnxModel, x: string, rank: number): string => transposed(m, x, [0, ...counted(2, rank), 1]);
const reshaped = (m: OnnxModel, x: string, shape: Shape): string => m.op("Reshape", [x, m.sizes(shape)]);

/** Where windows lie, as Conv, ConvTranspose and MaxPool are told. */
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

const shapeOf = (node: Node, input: number): Shape => (node.inputs[input] as Tensor).shape;

/** x [B, ...S, C], one number of every `strides` along each axis. */
function stepped(m: OnnxModel, x: string, strides: Shape, starts: Shape, ends: Shape): string {
  return m.op("Slice", [x, m.sizes(starts), m.sizes(ends), m.sizes(counted(1, strides.length + 1)), m.sizes(strides)]);
}

/** Whether windows have one number each, nothing around, and one group: at each place a product by the same matrix. */
const isPointwise = (kernel: Shape, { before, after, groups }: Omit<Convolution, "strides">): boolean =>
  groups === 1 && kernel.every((n) => n === 1) && [...before, ...after].every((n) => n === 0);

const rowsOf = (shape: Shape): number => sizeOf(shape.slice(0, -1));

export function conv(m: OnnxModel, [x, weight]: readonly string[], node: Node<"conv">): string {
  const [shape, [outputs = 0, inputs = 0, ...window]] = [shapeOf(node, 0), shapeOf(node, 1)];
  const rank = shape.length;
  if (isPointwise(window, node.attributes)) {
    const { strides } = node.attributes;
    const made = (node.outputs[0] as Tensor).shape;
    const apart = strides.some((n) => n > 1);
    const none = strides.map(() => 0);
    const seen = apart ? stepped(m, x as string, strides, none, shape.slice(1, -1)) : (x as string);
    const matrix = reshaped(m, weight as string, [outputs, inputs]);
    const product = m.op("Gemm", [reshaped(m, seen, [rowsOf(made), inputs]), matrix], { transB: int(1) });
    return reshaped(m, product, made);
  }
  if (isDepthwise(node, m.block)) return depthwise(m, [x as string, weight as string], node);
  const first = channelsFirst(m, x as string, rank);
  const kernel = shapeOf(node, 1).slice(2);
  return channelsLast(m, m.op("Conv", [first, weight as string], attributesOf(kernel, node.attributes)), rank);
}

/** A weight [O, I / groups, ...K] for the other direction: [I, O / groups, ...K], its windows turned about. */
function turnedAbout(m: OnnxModel, weight: string, [o = 0, inner = 0, ...kernel]: Shape, groups: number): string {
  const grouped = reshaped(m, weight, [groups, o / groups, inner, ...kernel]);
  const exchanged = transposed(m, grouped, [0, 2, 1, ...counted(3, 3 + kernel.length)]);
  const other = reshaped(m, exchanged, [groups * inner, o / groups, ...kernel]);
  const axes = kernel.flatMap((n, axis) => (n === 1 ? [] : [axis + 2]));
  if (axes.length === 0) return other;
  const each = (value: number): string => m.sizes(axes.map(() => value));
  return m.op("Slice", [other, each(-1), each(-(2 ** 31)), m.sizes(axes), each(-1)]);
}

/** y [B, ...T, C] with `stride - 1` zeros behind each of its numbers along each axis, and some around; a negative number takes away. */
function spread(m: OnnxModel, y: string, shape: Shape, strides: Shape, before: Shape, after: Shape): string {
  const [batch = 0, ...rest] = shape;
  const [places, channels] = [rest.slice(0, -1), rest.at(-1) as number];
  const apart = reshaped(m, y, [batch, ...places.flatMap((n) => [n, 1]), channels]);
  const behind = strides.flatMap((n) => [0, n - 1]);
  const wide = m.op("Pad", [apart, m.sizes([0, ...behind.map(() => 0), 0, 0, ...behind, 0])]);
  const joined = reshaped(m, wide, [batch, ...places.map((n, axis) => n * (strides[axis] as number)), channels]);
  return m.op("Pad", [joined, m.sizes([0, ...before, 0, 0, ...after, 0])]);
}

/** As a convolution by the weight turned about, of y with zeros between its numbers; by ConvTranspose along up to two axes. */
export function convInput(m: OnnxModel, [y, weight]: readonly string[], node: Node<"convInput">): string {
  const [shape, { size, strides, dilations, before, after, groups }] = [shapeOf(node, 1), node.attributes];
  const kernel = shape.slice(2);
  const places = shapeOf(node, 0).slice(1, -1);
  const rank = places.length + 2;
  if (isPointwise(kernel, node.attributes)) {
    const [outputs = 0, inputs = 0] = shape;
    const product = m.op("Gemm", [
      reshaped(m, y as string, [rowsOf(shapeOf(node, 0)), outputs]),
      reshaped(m, weight as string, [outputs, inputs]),
    ]);
    const made = [...shapeOf(node, 0).slice(0, -1), inputs];
    const none = strides.map(() => 0);
    const behind = size.map((n, axis) => n - (places[axis] as number) * (strides[axis] as number));
    const apart = strides.some((n) => n > 1);
    return apart ? spread(m, product, made, strides, none, behind) : reshaped(m, product, made);
  }
  const alone = isDepthwise(node, m.block) ? depthwiseInput(m, [y as string, weight as string], node) : null;
  if (alone !== null) return alone;
  const first = channelsFirst(m, y as string, rank);
  const reach = kernel.map((n, axis) => (dilations[axis] as number) * (n - 1));
  const around = (padding: Shape): Shape => reach.map((n, axis) => n - (padding[axis] as number));
  const [begin, end] = [around(before), around(after)];
  if (strides.every((n) => n === 1) && [...begin, ...end].every((n) => n >= 0)) {
    const other = turnedAbout(m, weight as string, shape, groups);
    const attributes = attributesOf(kernel, { strides, dilations, before: begin, after: end, groups });
    return channelsLast(m, m.op("Conv", [first, other], attributes), rank);
  }
  const uncovered = size.map((n, axis) => {
    const [stride, place] = [strides[axis] as number, places[axis] as number];
    const covered = stride * (place - 1) + (reach[axis] as number) + 1;
    return n + (before[axis] as number) + (after[axis] as number) - covered;
  });
  if (places.length > 2) {
    // onnxruntime's WebGPU provider has no ConvTranspose along three axes.
    const behind = end.map((n, axis) => n + (uncovered[axis] as number) - (strides[axis] as number) + 1);
    const wide = channelsFirst(m, spread(m, y as string, shapeOf(node, 0), strides, begin, behind), rank);
    const ones = places.map(() => 1);
    const none = places.map(() => 0);
    const windows = { strides: ones, dilations, before: none, after: none, groups };
    const made = m.op("Conv", [wide, turnedAbout(m, weight as string, shape, groups)], attributesOf(kernel, windows));
    return channelsLast(m, made, rank);
  }
  const attributes = { ...attributesOf(kernel, node.attributes), output_padding: ints(uncovered) };
  return channelsLast(m, m.op("ConvTranspose", [first, weight as string], attributes), rank);
}

/** x as it would be without the rows that no window reaches, which padding behind it cannot take away. */
function cut(m: OnnxModel, x: string, size: Shape, missing: Shape): string {
  const axes = missing.flatMap((n, axis) => (n < 0 ? [axis] : []));
  if (axes.length === 0) return x;
  const ends = axes.map((axis) => (size[axis] as number) + (missing[axis] as number));
  const starts = m.sizes(axes.map(() => 0));
  return m.op("Slice", [x, starts, m.sizes(ends), m.sizes(axes.map((axis) => axis + 2))]);
}

/** From how many channels on a product for each number of a window is worth its start. */
const wide = 16;
/** Numbers of a window, up to which it is taken apart. */
const mostParts = 64;

/**
 * Of one group, [O, I, ...kernel]: for each number of a window, the product over all places of y with what x has there. Few channels are
 * joined first, so that the product is one.
 */
function weightByParts(m: OnnxModel, x: string, y: string, node: Node<"convWeight">): string {
  const { kernel, strides, dilations, before } = node.attributes;
  const [[batch = 0, ...rest], made] = [shapeOf(node, 0), shapeOf(node, 1)];
  const [size, inputs, outputs] = [rest.slice(0, -1), rest.at(-1) as number, made.at(-1) as number];
  const [places, rows] = [made.slice(1, -1), rowsOf(made)];
  const spans = places.map((n, axis) => (n - 1) * (strides[axis] as number) + 1);
  const reached = spans.map((n, axis) => n + (dilations[axis] as number) * ((kernel[axis] as number) - 1));
  const after = reached.map((n, axis) => Math.max(0, n - (size[axis] as number) - (before[axis] as number)));
  const around = [...before, ...after].some((n) => n > 0);
  const seen = around ? m.op("Pad", [x, m.sizes([0, ...before, 0, 0, ...after, 0])]) : x;
  const parts = offsetsIn(kernel).map((from) => {
    const starts = from.map((n, axis) => n * (dilations[axis] as number));
    const ends = starts.map((n, axis) => n + (spans[axis] as number));
    return stepped(m, seen, strides, starts, ends);
  });
  // Three axes, so that onnxruntime does not put both together: it would turn y anew for every 128 columns.
  const turned = reshaped(m, transposed(m, reshaped(m, y, [1, rows, outputs]), [0, 2, 1]), [outputs, rows]);
  const product = (part: string, columns: number): string =>
    m.op("Gemm", [turned, reshaped(m, part, [batch * sizeOf(places), columns])]);
  const count = parts.length;
  if (count === 1) return reshaped(m, product(parts[0] as string, inputs), [outputs, inputs, ...kernel]);
  if (inputs < wide) {
    const all = product(m.op("Concat", parts, { axis: int(-1) }), count * inputs);
    const apart = transposed(m, reshaped(m, all, [outputs, count, inputs]), [0, 2, 1]);
    return reshaped(m, apart, [outputs, inputs, ...kernel]);
  }
  const products = parts.map((part) => product(part, inputs));
  const all = reshaped(m, m.op("Concat", products, { axis: int(0) }), [count, outputs, inputs]);
  return reshaped(m, transposed(m, all, [1, 2, 0]), [outputs, inputs, ...kernel]);
}

/** A convolution of x by y over the samples: what were strides between windows are steps inside them, and the reverse. */
export function convWeight(m: OnnxModel, [x, y]: readonly string[], node: Node<"convWeight">): string {
  const { kernel, strides, dilations, before, groups } = node.attributes;
  if (isDepthwise(node, m.block)) return depthwiseWeight(m, [x as string, y as string], node);
  if (groups === 1 && sizeOf(kernel) <= mostParts) return weightByParts(m, x as string, y as string, node);
  const [batch = 0, ...rest] = shapeOf(node, 0);
  const [size, inner] = [rest.slice(0, -1), (rest.at(-1) as number) / groups];
  const places = shapeOf(node, 1).slice(1, -1);
  const axes = counted(1, size.length + 1);
  const split = groups === 1 ? (x as string) : reshaped(m, x as string, [batch, ...size, groups, inner]);
  const toFront = groups === 1 ? [size.length + 1, 0, ...axes] : [size.length + 2, size.length + 1, 0, ...axes];
  const moved = transposed(m, split, toFront);
  const samples = groups === 1 ? moved : reshaped(m, moved, [inner, groups * batch, ...size]);
  const windows = transposed(m, y as string, [size.length + 1, 0, ...axes]);
  const after = size.map((n, axis) => {
    const reached = (strides[axis] as number) * ((places[axis] as number) - 1) + 1;
    return reached + (dilations[axis] as number) * ((kernel[axis] as number) - 1) - n - (before[axis] as number);
  });
  const attributes = attributesOf(places, {
    strides: dilations,
    dilations: strides,
    before,
    after: after.map((n) => Math.max(n, 0)),
    groups,
  });
  const made = m.op("Conv", [cut(m, samples, size, after), windows], attributes);
  return transposed(m, made, [1, 0, ...counted(2, size.length + 2)]);
}

export function maxPool(m: OnnxModel, [x]: readonly string[], node: Node<"maxPool">): string {
  const rank = shapeOf(node, 0).length;
  const first = channelsFirst(m, x as string, rank);
  return channelsLast(m, m.op("MaxPool", [first], attributesOf(node.attributes.kernel, node.attributes)), rank);
}

/** Less than every number that comes, as a tensor. */
const lowest = (m: OnnxModel): string => m.constant("float32", Float32Array.of(-3.4e38), []);

/** Numbers of a window along each axis, in raster order. */
const offsetsIn = (kernel: Shape): readonly Shape[] =>
  kernel.reduce<readonly Shape[]>((all, n) => all.flatMap((one) => counted(0, n).map((k) => [...one, k])), [[]]);

/**
 * Each window's share goes to the first of its numbers that is the largest: number by number of the windows, what is left of dy where
 * the number is that one. onnxruntime's WebGPU provider does not tell where MaxPool found it.
 */
export function maxPoolGrad(m: OnnxModel, [dy, x]: readonly string[], node: Node<"maxPoolGrad">): string {
  const { kernel, strides, before, after } = node.attributes;
  const [batch = 0, ...rest] = shapeOf(node, 1);
  const places = shapeOf(node, 0).slice(1, -1);
  const [size, channels] = [rest.slice(0, -1), rest.at(-1) as number];
  const wide = m.op("Pad", [x as string, m.sizes([0, ...before, 0, 0, ...after, 0]), lowest(m)]);
  const spans = places.map((n, axis) => (n - 1) * (strides[axis] as number) + 1);
  const axes = m.sizes(counted(1, size.length + 1));
  const offsets = offsetsIn(kernel);
  const taps = offsets.map((from) => {
    const ends = from.map((n, axis) => n + (spans[axis] as number));
    return m.op("Slice", [wide, m.sizes(from), m.sizes(ends), axes, m.sizes(strides)]);
  });
  const largest = m.op("Max", taps);
  let left = dy as string;
  const parts = offsets.map((from, tap) => {
    const found = m.op("Cast", [m.op("Equal", [taps[tap] as string, largest])], { to: int(dataTypes.float32) });
    const share = m.op("Mul", [left, found]);
    left = m.op("Sub", [left, share]);
    const end = size.map((n, axis) => {
      const behind = n + (before[axis] as number) + (after[axis] as number) - (from[axis] as number);
      return behind - (places[axis] as number) * (strides[axis] as number);
    });
    return spread(m, share, [batch, ...places, channels], strides, from, end);
  });
  const sum = m.op("Sum", parts);
  const ends = m.sizes(size.map((n, axis) => n + (before[axis] as number)));
  return m.op("Slice", [sum, m.sizes(before), ends, axes]);
}
