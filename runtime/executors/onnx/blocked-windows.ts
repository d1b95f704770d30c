/**
 * Convolutions and their gradients on onnxruntime's blocked layout, whose kernels are the faster ones: depthwise ones are ten times as
 * fast. Gives null for those that it does not know; `windows.ts` has a way for each. A map [B, H, W, C] lies as [B][C / b][H W][b], a weight
 * [O, I, h, w] as [O / b][I / b][h w][b of I][b of O], and [C, 1, h, w] as [C / b][h w][b].
 */

import { type Convolution, type Node, sizeOf } from "../../../graph/index.js";
import { int, ints, NCHWC } from "./fields.js";
import type { OnnxModel } from "./model.js";
import { inputShape, outputShape, reshaped, reversed, type Shape, transposed } from "./moves.js";

/** Convolutions along two axes that are computed in blocks: each channel by itself, of whole blocks, or of fewer channels than a block has. */
type Kind = "depthwise" | "dense" | "few";

function kindOf(m: OnnxModel, [outputs = 0, inner = 0, ...kernel]: Shape, groups: number): Kind | null {
  if (m.block === null || kernel.length !== 2 || outputs % m.block !== 0) return null;
  if (inner === 1 && groups === outputs) return "depthwise";
  if (groups > 1) return null;
  return inner % m.block === 0 ? "dense" : inner < m.block ? "few" : null;
}

/** [B, H, W, C] in blocks. */
const blocked = (m: OnnxModel, x: string): string => m.op("ReorderInput", [x], { channels_last: int(1) }, NCHWC);
/** [B, C, H, W] in blocks. */
const blockedFromFirst = (m: OnnxModel, x: string): string => m.op("ReorderInput", [x], {}, NCHWC);

/** x by windows, both in blocks. */
function convolved(m: OnnxModel, x: string, windows: string, kernel: Shape, o: Convolution): string {
  const attributes = {
    kernel_shape: ints(kernel),
    dilations: ints(o.dilations),
    strides: ints(o.strides),
    pads: ints([...o.before, ...o.after]),
    group: int(o.groups),
  };
  return m.op("Conv", [x, windows], attributes, NCHWC);
}

/** x in blocks by windows in blocks -> [B, H, W, O]. */
function mapped(m: OnnxModel, x: string, windows: string, [outputs = 0, ...kernel]: Shape, o: Convolution): string {
  const y = convolved(m, x, windows, kernel, o);
  return m.op("ReorderOutput", [y], { channels: int(outputs), channels_last: int(1) }, NCHWC);
}

export function blockedConv(m: OnnxModel, [x = "", weight = ""]: readonly string[], node: Node<"conv">): string | null {
  const shape = inputShape(node, 1);
  const [outputs = 0, inner = 0, ...kernel] = shape;
  const kind = kindOf(m, shape, node.attributes.groups);
  if (kind === null) return null;
  const count = sizeOf(kernel);
  const byOutput = blockedFromFirst(m, reshaped(m, weight, [1, outputs, inner * count, 1]));
  const b = m.block as number;
  const together = (): string =>
    transposed(m, reshaped(m, byOutput, [outputs / b, inner / b, b, count, b]), [0, 1, 3, 2, 4]);
  const windows = reshaped(m, kind === "dense" ? together() : byOutput, shape);
  // Fewer channels than a block has lie before the other axes.
  const map = kind === "few" ? transposed(m, x, [0, 3, 1, 2]) : blocked(m, x);
  return mapped(m, map, windows, [outputs, ...kernel], node.attributes);
}

/** The convolution of y by the weight turned about; null too for few channels and strides, and where more is around y than a window reaches. */
export function blockedConvInput(
  m: OnnxModel,
  [y = "", weight = ""]: readonly string[],
  node: Node<"convInput">,
): string | null {
  const shape = inputShape(node, 1);
  const [outputs = 0, inner = 0, ...kernel] = shape;
  const { attributes } = node;
  const kind = kindOf(m, shape, attributes.groups);
  const around = (padding: Shape): Shape =>
    kernel.map((n, axis) => (attributes.dilations[axis] as number) * (n - 1) - (padding[axis] as number));
  const [before, after] = [around(attributes.before), around(attributes.after)];
  if (kind === null || kind === "few" || attributes.strides.some((n) => n > 1)) return null;
  if ([...before, ...after].some((n) => n < 0)) return null;
  const count = sizeOf(kernel);
  const b = m.block as number;
  const channelByChannel = (): string =>
    blockedFromFirst(m, reversed(m, reshaped(m, weight, [1, outputs, ...kernel]), [2, 3]));
  /** [O, I, h w] -> [h w, O, I] -> [I / b][h w][O / b][b b] -> [I / b][O / b][h w][b b], whose parts are moved whole. */
  const together = (): string => {
    const parts = reversed(m, transposed(m, reshaped(m, weight, [outputs, inner, count]), [2, 0, 1]), [0]);
    const byInput = blocked(m, reshaped(m, parts, [1, count * outputs, 1, inner]));
    return transposed(m, reshaped(m, byInput, [inner / b, count, outputs / b, b * b]), [0, 2, 1, 3]);
  };
  const [windows, made] = kind === "depthwise" ? [channelByChannel(), outputs] : [together(), inner];
  const other = kind === "depthwise" ? shape : [inner, outputs, ...kernel];
  const o = { ...attributes, before, after };
  return mapped(m, blocked(m, y), reshaped(m, windows, other), [made, ...kernel], o);
}

/**
 * Of depthwise ones: for each sample the convolution of x by y, whose blocks lie as those of windows do, then their sum. Where a window
 * lies partly outside x the library computes one number at a time, so zeros are put around x before.
 */
export function blockedConvWeight(
  m: OnnxModel,
  [x = "", y = ""]: readonly string[],
  node: Node<"convWeight">,
): string | null {
  const { before, after, dilations, strides, groups } = node.attributes;
  const weight = outputShape(node);
  if (kindOf(m, weight, groups) !== "depthwise" || strides.some((n) => n > 1)) return null;
  const [batch = 0, height = 0, width = 0, channels = 0] = inputShape(node, 0);
  const [top = 0, left = 0, bottom = 0, right = 0] = [...before, ...after];
  const wide = m.op("Pad", [x, m.sizes([0, top, left, 0, 0, bottom, right, 0])]);
  const places = inputShape(node, 1).slice(1, -1);
  const all = batch * channels;
  const samples = reshaped(m, blocked(m, wide), [1, all, top + height + bottom, left + width + right]);
  const windows = reshaped(m, blocked(m, y), [all, 1, ...places]);
  const none = [0, 0];
  const o = { strides: dilations, dilations: strides, before: none, after: none, groups: all };
  const kernel = weight.slice(2);
  const each = reshaped(m, convolved(m, samples, windows, places, o), [batch, channels * sizeOf(kernel)]);
  const sum = m.op("ReduceSum", [each, m.sizes([0])], { keepdims: int(0) });
  const apart = reshaped(m, sum, [1, channels, ...kernel]);
  return reshaped(m, m.op("ReorderOutput", [apart], { channels: int(channels) }, NCHWC), weight);
}
