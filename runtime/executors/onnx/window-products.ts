/**
 * Convolutions of one group as products of matrices: the rows of a map [B, ...S, C] are its places, and a weight is a matrix for each number
 * of a window. Gives null where another way is faster; `windows.ts` has one for each.
 */

import { type Convolution, type Node, sizeOf } from "../../../graph/index.js";
import { int } from "./fields.js";
import type { OnnxModel } from "./model.js";
import { counted, inputShape, outputShape, reshaped, type Shape, transposed, turned } from "./moves.js";

const rowsOf = (shape: Shape): number => sizeOf(shape.slice(0, -1));

/** Numbers of a window along each axis, in raster order. */
export const offsetsIn = (kernel: Shape): readonly Shape[] =>
  kernel.reduce<readonly Shape[]>((all, n) => all.flatMap((one) => counted(0, n).map((k) => [...one, k])), [[]]);

/** x [B, ...S, C], one number of every `strides` along each axis. */
export function stepped(m: OnnxModel, x: string, strides: Shape, starts: Shape, ends: Shape): string {
  return m.op("Slice", [x, m.sizes(starts), m.sizes(ends), m.sizes(counted(1, strides.length + 1)), m.sizes(strides)]);
}

/** x [B, ...S, C] with zeros around. */
const padded = (m: OnnxModel, x: string, before: Shape, after: Shape): string =>
  [...before, ...after].some((n) => n > 0) ? m.op("Pad", [x, m.sizes([0, ...before, 0, 0, ...after, 0])]) : x;

/** y [B, ...T, C] with `stride - 1` zeros behind each of its numbers along each axis, and some around; a negative number takes away. */
export function spread(m: OnnxModel, y: string, shape: Shape, strides: Shape, before: Shape, after: Shape): string {
  const [batch = 0, ...rest] = shape;
  const [places, channels] = [rest.slice(0, -1), rest.at(-1) as number];
  const apart = reshaped(m, y, [batch, ...places.flatMap((n) => [n, 1]), channels]);
  const behind = strides.flatMap((n) => [0, n - 1]);
  const wide = m.op("Pad", [apart, m.sizes([0, ...behind.map(() => 0), 0, 0, ...behind, 0])]);
  const joined = reshaped(m, wide, [batch, ...places.map((n, axis) => n * (strides[axis] as number)), channels]);
  return m.op("Pad", [joined, m.sizes([0, ...before, 0, 0, ...after, 0])]);
}

/** Whether windows have one number each and nothing around: at each place a product by the same matrix. */
const isPointwise = (kernel: Shape, { before, after }: Omit<Convolution, "strides">): boolean =>
  kernel.every((n) => n === 1) && [...before, ...after].every((n) => n === 0);

/** Whether a weight is larger than the maps. Then it is cheaper to rearrange the maps for a product than the weight for a convolution. */
const isWeightLarger = (m: OnnxModel, [outputs = 0, inputs = 0]: Shape, rows: number): boolean =>
  m.block !== null && rows < outputs && rows < inputs;

/** Where windows lie, of which there are as many as there are places. */
type Walk = { readonly kernel: Shape; readonly dilations?: Shape } & Pick<Convolution, "strides" | "before">;

/** For each number of a window, what the places of y see of x there: [B, ...T, C]. */
function seenParts(
  m: OnnxModel,
  x: string,
  [shape, made]: readonly [Shape, Shape],
  { kernel, strides, dilations = kernel.map(() => 1), before }: Walk,
): readonly string[] {
  const [size, places] = [shape.slice(1, -1), made.slice(1, -1)];
  const spans = places.map((n, axis) => (n - 1) * (strides[axis] as number) + 1);
  const reached = spans.map((n, axis) => n + (dilations[axis] as number) * ((kernel[axis] as number) - 1));
  const after = reached.map((n, axis) => Math.max(0, n - (size[axis] as number) - (before[axis] as number)));
  const wide = padded(m, x, before, after);
  return offsetsIn(kernel).map((from) => {
    const starts = from.map((n, axis) => n * (dilations[axis] as number));
    const ends = starts.map((n, axis) => n + (spans[axis] as number));
    return stepped(m, wide, strides, starts, ends);
  });
}

/** Parts [B, ...T, C] side by side: [rows, count C]. */
const joined = (m: OnnxModel, parts: readonly string[], rows: number, width: number): string =>
  reshaped(m, m.op("Concat", parts, { axis: int(-1) }), [rows, parts.length * width]);

/** A weight [O, I, ...kernel] as [kernel, O, I]. */
const partsOfWeight = (m: OnnxModel, weight: string, [outputs = 0, inputs = 0, ...kernel]: Shape): string =>
  transposed(m, reshaped(m, weight, [outputs, inputs, sizeOf(kernel)]), [2, 0, 1]);

export function convAsProduct(
  m: OnnxModel,
  [x = "", weight = ""]: readonly string[],
  node: Node<"conv">,
): string | null {
  const { attributes } = node;
  if (attributes.groups > 1) return null;
  const [shape, made, form] = [inputShape(node, 0), outputShape(node), inputShape(node, 1)];
  const [outputs = 0, inputs = 0, ...kernel] = form;
  const [rows, count] = [rowsOf(made), sizeOf(kernel)];
  const product = (seen: string, matrix: string): string =>
    reshaped(m, m.op("Gemm", [seen, reshaped(m, matrix, [outputs, count * inputs])], { transB: int(1) }), made);
  if (isPointwise(kernel, attributes)) {
    const { strides } = attributes;
    const none = strides.map(() => 0);
    const seen = strides.some((n) => n > 1) ? stepped(m, x, strides, none, shape.slice(1, -1)) : x;
    return product(reshaped(m, seen, [rows, inputs]), weight);
  }
  if (!isWeightLarger(m, form, rows)) return null;
  const parts = seenParts(m, x, [shape, made], { ...attributes, kernel });
  const matrix = transposed(m, reshaped(m, weight, [outputs, inputs, count]), [0, 2, 1]);
  return product(joined(m, parts, rows, inputs), matrix);
}

export function convInputAsProduct(
  m: OnnxModel,
  [y = "", weight = ""]: readonly string[],
  node: Node<"convInput">,
): string | null {
  const { strides, dilations, before, groups } = node.attributes;
  if (groups > 1) return null;
  const [shape, made, form] = [inputShape(node, 0), outputShape(node), inputShape(node, 1)];
  const [outputs = 0, inputs = 0, ...kernel] = form;
  const rows = rowsOf(shape);
  if (isPointwise(kernel, node.attributes)) {
    const matrix = reshaped(m, weight, [outputs, inputs]);
    const product = m.op("Gemm", [reshaped(m, y, [rows, outputs]), matrix]);
    const places = shape.slice(1, -1);
    const behind = made.slice(1, -1).map((n, axis) => n - (places[axis] as number) * (strides[axis] as number));
    const none = strides.map(() => 0);
    if (strides.every((n) => n === 1)) return reshaped(m, product, made);
    return spread(m, product, [...shape.slice(0, -1), inputs], strides, none, behind);
  }
  if (m.block === null) return null;
  if (strides.some((n) => n > 1)) return inputByPhases(m, y, weight, node);
  const around = kernel.map((n, axis) => (dilations[axis] as number) * (n - 1) - (before[axis] as number));
  if (!isWeightLarger(m, form, rowsOf(made)) || around.some((n) => n < 0)) return null;
  const parts = seenParts(m, y, [shape, made], { kernel, strides, dilations, before: around });
  const matrix = reshaped(m, partsOfWeight(m, weight, form), [sizeOf(kernel) * outputs, inputs]);
  return reshaped(m, m.op("Gemm", [joined(m, parts.toReversed(), rowsOf(made), outputs), matrix]), made);
}

/** A number of a window that places of x with one remainder see along an axis, and how far from theirs the places of y are. */
export interface Tap {
  readonly number: number;
  readonly shift: number;
}

/** For each remainder by the stride. */
function tapsAlong({ kernel, strides, dilations, before }: Walk, axis: number): readonly (readonly Tap[])[] {
  const stride = strides[axis] as number;
  return counted(0, stride).map((phase) =>
    counted(0, kernel[axis] as number).flatMap((number) => {
      const away = phase + (before[axis] as number) - (dilations?.[axis] ?? 1) * number;
      return away % stride === 0 ? [{ number, shift: away / stride }] : [];
    }),
  );
}

/** y [B, ...P, D], shifted by a tap along each axis, with zeros where nothing is: [B, ...counts, D]. */
export function shifted(m: OnnxModel, y: string, shape: Shape, tap: readonly Tap[], counts: Shape): string {
  const before = tap.map(({ shift }) => (shift === 0 ? 0 : -shift));
  const after = tap.map(({ shift }, axis) => shift + (counts[axis] as number) - (shape[axis + 1] as number));
  if ([...before, ...after].every((n) => n === 0)) return y;
  return m.op("Pad", [y, m.sizes([0, ...before, 0, 0, ...after, 0])]);
}

/**
 * What windows give back, [B, ...S, C]: places that leave the same remainder by the strides see the same numbers of windows. `sumOf` gives the
 * sum of what those give, [B, ...counts, C]; the sums then lie between one another.
 */
export function byPhases(
  m: OnnxModel,
  made: Shape,
  walk: Walk,
  sumOf: (taps: readonly (readonly Tap[])[], counts: Shape) => string,
): string {
  const { strides } = walk;
  const [batch, size, width] = [made[0] as number, made.slice(1, -1), made.at(-1) as number];
  const counts = size.map((n, axis) => Math.ceil(n / (strides[axis] as number)));
  /** From an axis on, with taps before it chosen: [places before the axis, the rest]. */
  const between = (chosen: readonly (readonly Tap[])[]): string => {
    const axis = chosen.length;
    const taps = chosen.reduce<readonly (readonly Tap[])[]>(
      (found, some) => found.flatMap((one) => some.map((tap) => [...one, tap])),
      [[]],
    );
    if (axis === strides.length) return reshaped(m, sumOf(taps, counts), [batch * sizeOf(counts), width]);
    const phases = tapsAlong(walk, axis).map((some) => between([...chosen, some]));
    const rest = width * sizeOf(counts.slice(axis)) * sizeOf(strides.slice(axis));
    return reshaped(m, m.op("Concat", phases, { axis: int(1) }), [batch * sizeOf(counts.slice(0, axis)), rest]);
  };
  const filled = counts.map((n, axis) => n * (strides[axis] as number));
  const all = reshaped(m, between([]), [batch, ...filled, width]);
  const [none, ones] = [strides.map(() => 0), strides.map(() => 1)];
  return filled.some((n, axis) => n > (size[axis] as number)) ? stepped(m, all, ones, none, size) : all;
}

/** With strides: for each remainder the sum of products of y, shifted, by what windows have there. */
function inputByPhases(m: OnnxModel, y: string, weight: string, node: Node<"convInput">): string {
  const [shape, made, form] = [inputShape(node, 0), outputShape(node), inputShape(node, 1)];
  const [outputs = 0, inputs = 0, ...kernel] = form;
  const count = sizeOf(kernel);
  const parts = m.ops("Split", [partsOfWeight(m, weight, form)], new Array(count).fill(true), {
    ...{ axis: int(0), num_outputs: int(count) },
  });
  return byPhases(m, made, { ...node.attributes, kernel }, (taps, counts) => {
    const rows = (shape[0] as number) * sizeOf(counts);
    const product = (sum: string | null, tap: readonly Tap[]): string => {
      const seen = reshaped(m, shifted(m, y, shape, tap, counts), [rows, outputs]);
      const at = tap.reduce((all, { number }, axis) => all * (kernel[axis] as number) + number, 0);
      return m.op("Gemm", [seen, reshaped(m, parts[at] as string, [outputs, inputs]), ...(sum === null ? [] : [sum])]);
    };
    return taps.reduce<string | null>(product, null) ?? zeros(m, [rows, inputs]);
  });
}

export const zeros = (m: OnnxModel, shape: Shape): string =>
  m.op("Expand", [m.constant("float32", Float32Array.of(0), []), m.sizes(shape)]);

/** From how many channels on there is a product for each number of a window; of fewer, starting them takes too long. */
const fewestChannels = 16;
/** Windows of more numbers are not computed as products. */
const mostParts = 64;

/** Whether there are few channels and strides. Each stride then becomes channels of a smaller map, which is read in longer pieces. */
const hasFewChannels = (node: Node<"convWeight">): boolean =>
  (inputShape(node, 0).at(-1) as number) < fewestChannels &&
  node.attributes.strides.some((n) => n > 1) &&
  node.attributes.dilations.every((n) => n === 1);

/** The gradient for windows whose sides are multiples of the strides; its first numbers are those of the kernel. */
function weightOfFewChannels(m: OnnxModel, x: string, y: string, node: Node<"convWeight">): string {
  const { kernel, strides, before } = node.attributes;
  const [[batch = 0, ...rest], made] = [inputShape(node, 0), inputShape(node, 1)];
  const [size, inputs, outputs] = [rest.slice(0, -1), rest.at(-1) as number, made.at(-1) as number];
  const axes = counted(0, kernel.length);
  const steps = kernel.map((n, axis) => Math.ceil(n / (strides[axis] as number)));
  const counts = steps.map((n, axis) => n + (made[axis + 1] as number) - 1);
  const behind = counts.map(
    (n, axis) => n * (strides[axis] as number) - (size[axis] as number) - (before[axis] as number),
  );
  const whole = m.op("Pad", [x, m.sizes([0, ...before, 0, 0, ...behind, 0])]);
  const apart = reshaped(m, whole, [batch, ...counts.flatMap((n, axis) => [n, strides[axis] as number]), inputs]);
  const order = [0, ...axes.map((axis) => 2 * axis + 1), ...axes.map((axis) => 2 * axis + 2), 2 * axes.length + 1];
  const width = inputs * sizeOf(strides);
  const shape = [batch, ...counts, width];
  const none = axes.map(() => 0);
  const ones = axes.map(() => 1);
  const windows = { kernel: steps, strides: ones, before: none };
  const parts = seenParts(m, reshaped(m, transposed(m, apart, order), shape), [shape, made], windows);
  const rows = rowsOf(made);
  const dy = turned(m, reshaped(m, y, [rows, outputs]), [rows, outputs]);
  const all = reshaped(m, m.op("Gemm", [dy, joined(m, parts, rows, width)]), [outputs, ...steps, ...strides, inputs]);
  const last = 2 * axes.length + 1;
  const between = transposed(m, all, [0, last, ...axes.flatMap((axis) => [axis + 1, axes.length + axis + 1])]);
  const filled = reshaped(m, between, [outputs, inputs, ...steps.map((n, axis) => n * (strides[axis] as number))]);
  return m.op("Slice", [filled, m.sizes(none), m.sizes(kernel), m.sizes(axes.map((axis) => axis + 2))]);
}

/**
 * [O, I, ...kernel]: for each number of a window, the product over all places of y with what x has there. Few channels, and few rows for a
 * large weight, are joined first, so that the product is one.
 */
export function convWeightAsProduct(
  m: OnnxModel,
  [x = "", y = ""]: readonly string[],
  node: Node<"convWeight">,
): string | null {
  const { kernel, groups } = node.attributes;
  const count = sizeOf(kernel);
  if (groups > 1 || count > mostParts) return null;
  const [shape, made] = [inputShape(node, 0), inputShape(node, 1)];
  if (m.block !== null && hasFewChannels(node)) return weightOfFewChannels(m, x, y, node);
  const [rows, inputs, outputs] = [rowsOf(made), shape.at(-1) as number, made.at(-1) as number];
  const parts = seenParts(m, x, [shape, made], node.attributes);
  if (count === 1) {
    const seen = reshaped(m, parts[0] as string, [rows, inputs]);
    const flat = reshaped(m, y, [rows, outputs]);
    const turnsX = m.block !== null && inputs * (rows + outputs) < rows * outputs;
    const product = turnsX
      ? turned(m, m.op("Gemm", [turned(m, seen, [rows, inputs]), flat]), [inputs, outputs])
      : m.op("Gemm", [turned(m, flat, [rows, outputs]), seen]);
    return reshaped(m, product, [outputs, inputs, ...kernel]);
  }
  const dy = turned(m, reshaped(m, y, [rows, outputs]), [rows, outputs]);
  const isJoined = inputs < fewestChannels || isWeightLarger(m, [outputs, inputs], rows);
  const all = isJoined
    ? m.op("Gemm", [dy, joined(m, parts, rows, inputs)])
    : m.op(
        "Concat",
        parts.map((part) => m.op("Gemm", [dy, reshaped(m, part, [rows, inputs])])),
        { axis: int(1) },
      );
  const apart = transposed(m, reshaped(m, all, [outputs, count, inputs]), [0, 2, 1]);
  return reshaped(m, apart, [outputs, inputs, ...kernel]);
}
