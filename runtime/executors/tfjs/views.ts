/**
 * Views of tensors, as NumPy has them: a transposed, sliced or reshaped tensor as strides over the elements of the tensor that
 * it is made of, and a result as strides over the tensor that it is moved into. Products read and write through them, so that
 * nothing is moved before and after. Knows no backend.
 */

import { isA, type Node, sizeOf, type Tensor } from "../../../graph/index.js";

/** Strides over the elements of a tensor. */
export interface View {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  /** Where the first element lies, and how far those of each axis are apart, in elements. */
  readonly offset: number;
  readonly strides: readonly number[];
}

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** A tensor as it lies. */
export const plainView = (tensor: Tensor): View => ({
  ...{ tensor, shape: tensor.shape },
  ...{ offset: 0, strides: stridesOf(tensor.shape) },
});

interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** Axes without those of one element, neighbours that lie as one joined. */
export function joinedAxes(shape: readonly number[], strides: readonly number[]): readonly Axis[] {
  const axes: Axis[] = [];
  for (const [i, size] of shape.entries()) {
    const stride = strides[i] as number;
    const outer = axes.at(-1);
    if (size === 1) continue;
    if (outer?.stride === stride * size) axes.splice(-1, 1, { size: outer.size * size, stride });
    else axes.push({ size, stride });
  }
  return axes;
}

/** The strides of the same elements in another shape; null where they have none. */
function reshapedStrides({ shape, strides }: View, into: readonly number[]): readonly number[] | null {
  const axes = [...joinedAxes(shape, strides)];
  const made: number[] = [];
  // From the last axis on: each of the new ones is a part of one of the old.
  let { size: left, stride } = axes.pop() ?? { size: 1, stride: 1 };
  for (const size of into.toReversed()) {
    if (size > 1 && left === 1) ({ size: left, stride } = axes.pop() ?? { size: 1, stride: 1 });
    if (left % size !== 0) return null;
    made.unshift(stride);
    stride *= size;
    left /= size;
  }
  return made;
}

/** A view stretched to a shape, as operations broadcast. */
export function stretched(view: View, shape: readonly number[]): View {
  const more = shape.length - view.shape.length;
  const strides = shape.map((_, axis) =>
    (view.shape[axis - more] ?? 1) === 1 ? 0 : (view.strides[axis - more] as number),
  );
  return { ...view, shape, strides };
}

/** A node's result as a view of its input's view; null where it is none. */
function seenThrough(node: Node, input: View): Pick<View, "offset" | "strides"> | null {
  const { offset, strides } = input;
  if (isA(node, "transpose")) {
    return { offset, strides: node.attributes.permutation.map((axis) => strides[axis] as number) };
  }
  if (isA(node, "slice")) {
    const before = node.attributes.begin.reduce((sum, begin, axis) => sum + begin * (strides[axis] as number), 0);
    return { offset: offset + before, strides };
  }
  if (isA(node, "reshape")) {
    const reshaped = reshapedStrides(input, node.attributes.shape);
    return reshaped && { offset, strides: reshaped };
  }
  return isA(node, "broadcast") ? stretched(input, node.attributes.shape) : null;
}

/** What a tensor is a view of: the furthest that it can be followed back to; `isMade`: no further than to this. */
export function viewOf(tensor: Tensor, isMade: (tensor: Tensor) => boolean): View {
  const [from] = tensor.node.inputs;
  if (isMade(tensor) || from === undefined) return plainView(tensor);
  const input = tensor.node.inputs.length === 1 ? viewOf(from, isMade) : plainView(from);
  const seen = tensor.node.inputs.length === 1 ? seenThrough(tensor.node, input) : null;
  return seen ? { ...seen, tensor: input.tensor, shape: tensor.shape } : plainView(tensor);
}

/** Strides within a tensor as strides within another that has its axes elsewhere; null where an axis lies across two. */
function moved(
  view: View,
  shape: readonly number[],
  strides: readonly number[],
): Pick<View, "offset" | "strides"> | null {
  const old = stridesOf(shape);
  const axisOf = (stride: number, size: number): number =>
    shape.findIndex((length, axis) => {
      const apart = stride / (old[axis] as number);
      return Number.isInteger(apart) && apart * (size - 1) < length && length > 1;
    });
  const made: number[] = [];
  for (const [i, size] of view.shape.entries()) {
    const stride = view.strides[i] as number;
    const axis = size === 1 ? -1 : axisOf(stride, size);
    if (size > 1 && axis < 0) return null;
    made.push(size === 1 ? 0 : (stride / (old[axis] as number)) * (strides[axis] as number));
  }
  const offset = shape.reduce(
    (sum, length, axis) => sum + (Math.floor(view.offset / (old[axis] as number)) % length) * (strides[axis] as number),
    0,
  );
  return { offset, strides: made };
}

/**
 * Where the elements of a result end up when it is moved and nothing else: the tensor that they end in, with strides of
 * the result's axes over it.
 *
 * @param readersOf the nodes that read a tensor; an output or new state is read by more than nodes and is never moved.
 * @param isJoined whether a result may lie among those that a `concat` joins.
 */
export function destinationOf(
  result: Tensor,
  readersOf: (tensor: Tensor) => readonly Node[] | null,
  isJoined: (node: Node<"concat">) => boolean,
): View {
  let view = plainView(result);
  for (;;) {
    const readers = readersOf(view.tensor);
    const [node] = readers ?? [];
    const [next] = node?.outputs ?? [];
    if (!node || !next || readers?.length !== 1) return view;
    const { shape } = view.tensor;
    const inside = stridesOf(next.shape);
    let after: Pick<View, "offset" | "strides"> | null = null;
    if (isA(node, "reshape")) after = view;
    if (isA(node, "transpose")) {
      const { permutation } = node.attributes;
      after = moved(
        view,
        shape,
        shape.map((_, axis) => inside[permutation.indexOf(axis)] as number),
      );
    }
    if (isA(node, "concat") && isJoined(node)) {
      const { axis } = node.attributes;
      const before = node.inputs.slice(0, node.inputs.indexOf(view.tensor));
      const begin = before.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
      const placed = moved(view, shape, inside);
      after = placed && { ...placed, offset: placed.offset + begin * (inside[axis] as number) };
    }
    if (!after) return view;
    view = { ...after, tensor: next, shape: view.shape };
  }
}
