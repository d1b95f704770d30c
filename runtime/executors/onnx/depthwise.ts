/**
 * Convolutions of each channel alone and their gradients, on onnxruntime's blocked layout: its plain ones take ten times as long. Which
 * others there are is in `windows.ts`. A map [B, H, W, C] lies as [B][C / b][H W][b], a weight [C, 1, h, w] as [C / b][h w][b].
 */

import { type Convolution, type Graph, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { int, ints, NCHWC } from "./fields.js";
import type { OnnxModel } from "./model.js";

type Shape = readonly number[];
type Windows = Node<"conv" | "convInput" | "convWeight">;

const isWindows = (node: Node): node is Windows => ["conv", "convInput", "convWeight"].includes(node.operation);

/** Of the blocks that the library has on any processor. */
const smallestBlock = 8;

/** x, weight and y of a convolution or of one of its gradients. */
function sidesOf({ operation, inputs, outputs }: Windows): readonly [x: Shape, weight: Shape, y: Shape] {
  const [first, second, made] = [inputs[0], inputs[1], outputs[0]].map((one) => (one as Tensor).shape) as [
    ...[Shape, Shape, Shape],
  ];
  if (operation === "conv") return [first, second, made];
  return operation === "convInput" ? [made, second, first] : [first, made, second];
}

/** Whether a node is such a convolution, along two axes and in whole blocks. `block`: numbers of a block; null: the library has none. */
export function isDepthwise(node: Windows, block: number | null): boolean {
  const [x, weight, y] = sidesOf(node);
  const channels = x.at(-1) as number;
  const { groups, strides } = node.attributes;
  const alone = groups === channels && y.at(-1) === channels;
  return block !== null && channels % block === 0 && alone && weight.length === 4 && strides.every((n) => n === 1);
}

/** Whether any node of a graph may be such a convolution. */
export const hasDepthwise = ({ nodes }: Graph): boolean =>
  nodes.some((node) => isWindows(node) && isDepthwise(node, smallestBlock));

const reshaped = (m: OnnxModel, x: string, shape: Shape): string => m.op("Reshape", [x, m.sizes(shape)]);
/** [B, H, W, C] in blocks. */
const blocked = (m: OnnxModel, x: string): string => m.op("ReorderInput", [x], { channels_last: int(1) }, NCHWC);

/** Of `channels` channels: x in blocks by a window for each. */
function convolved(m: OnnxModel, x: string, windows: string, channels: number, kernel: Shape, o: Convolution): string {
  const attributes = {
    kernel_shape: ints(kernel),
    dilations: ints(o.dilations),
    strides: ints(o.strides),
    pads: ints([...o.before, ...o.after]),
    group: int(channels),
  };
  return m.op("Conv", [x, windows], attributes, NCHWC);
}

/** y as in `conv` from x and a weight; the operation `conv` itself, and `convInput` by the weight turned about. */
function mapped(m: OnnxModel, x: string, weight: string, [channels = 0, , ...kernel]: Shape, o: Convolution): string {
  const windows = m.op("ReorderInput", [reshaped(m, weight, [1, channels, ...kernel])], {}, NCHWC);
  const y = convolved(m, blocked(m, x), reshaped(m, windows, [channels, 1, ...kernel]), channels, kernel, o);
  return m.op("ReorderOutput", [y], { channels: int(channels), channels_last: int(1) }, NCHWC);
}

export const depthwise = (m: OnnxModel, [x, weight]: readonly string[], node: Node<"conv">): string =>
  mapped(m, x as string, weight as string, sidesOf(node)[1], node.attributes);

/** The convolution of y by the weight turned about, or null where more is around y than a window reaches. */
export function depthwiseInput(m: OnnxModel, [y, weight]: readonly string[], node: Node<"convInput">): string | null {
  const [, shape] = sidesOf(node);
  const { attributes } = node;
  const around = (padding: Shape): Shape =>
    shape.slice(2).map((n, axis) => (attributes.dilations[axis] as number) * (n - 1) - (padding[axis] as number));
  const [before, after] = [around(attributes.before), around(attributes.after)];
  if ([...before, ...after].some((n) => n < 0)) return null;
  const [back, beyond] = [m.sizes([-1, -1]), m.sizes([-(2 ** 31), -(2 ** 31)])];
  const turned = m.op("Slice", [weight as string, back, beyond, m.sizes([2, 3]), back]);
  return mapped(m, y as string, turned, shape, { ...attributes, before, after });
}

/**
 * Of each sample the convolution of x by y, whose blocks lie as those of windows do, then their sum. Where a window lies partly outside x
 * the library computes one number at a time: what is around x is made zeros before.
 */
export function depthwiseWeight(m: OnnxModel, [x, y]: readonly string[], node: Node<"convWeight">): string {
  const [[batch = 0, height = 0, width = 0, channels = 0], weight, made] = sidesOf(node);
  const { before, after, dilations, strides } = node.attributes;
  const [top = 0, left = 0] = before;
  const [bottom = 0, right = 0] = after;
  const wide = m.op("Pad", [x as string, m.sizes([0, top, left, 0, 0, bottom, right, 0])]);
  const [kernel, places] = [weight.slice(2), made.slice(1, -1)];
  const all = batch * channels;
  const samples = reshaped(m, blocked(m, wide), [1, all, top + height + bottom, left + width + right]);
  const windows = reshaped(m, blocked(m, y as string), [all, 1, ...places]);
  const none = [0, 0];
  const o = { strides: dilations, dilations: strides, before: none, after: none, groups: all };
  const each = reshaped(m, convolved(m, samples, windows, all, places, o), [batch, channels * sizeOf(kernel)]);
  const sum = m.op("ReduceSum", [each, m.sizes([0])], { keepdims: int(0) });
  const apart = reshaped(m, sum, [1, channels, ...kernel]);
  return reshaped(m, m.op("ReorderOutput", [apart], { channels: int(channels) }, NCHWC), weight);
}
