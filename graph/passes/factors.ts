/**
 * Rules about factors that are the same along some axes: such factors are multiplied with one another first, and after a sum along these
 * axes. Each rule saves a pass over a large tensor; the gradient of a norm over a batch has several of them.
 */

import { broadcastShapes } from "../form.js";
import type { Node } from "../graph.js";
import { isA, type Make, one } from "../rewrite.js";
import { sameShape, sizeOf, type Tensor } from "../shape.js";
import { inputsOf, outputsOf } from "../signature.js";

const isSmaller = (v: Tensor, { shape }: Tensor): boolean => sizeOf(v.shape) < sizeOf(shape);
const times = (make: Make, a: Tensor, b: Tensor): Tensor => one(make("mul", [a, b], {}));
const bothWays = ([a, b]: readonly [Tensor, Tensor]): readonly (readonly [Tensor, Tensor])[] => [
  [a, b],
  [b, a],
];

/** x v w -> x (v w), where v, w and their product are smaller than x. */
export function smallFactorsFirst(node: Node<"mul">, make: Make): Tensor | undefined {
  const [result] = outputsOf(node);
  for (const [product, w] of bothWays(inputsOf(node))) {
    if (!isA(product.node, "mul") || !isSmaller(w, result)) continue;
    for (const [x, v] of bothWays(inputsOf(product.node))) {
      const shape = broadcastShapes(v.shape, w.shape);
      if (!sameShape(x.shape, result.shape) || shape === undefined || sizeOf(shape) >= sizeOf(result.shape)) continue;
      return times(make, x, times(make, v, w));
    }
  }
  return undefined;
}

/** The shape of v, broadcast to `rank` axes by ones before. */
const aligned = (v: Tensor, rank: number): readonly number[] => [
  ...Array.from({ length: rank - v.shape.length }, () => 1),
  ...v.shape,
];

/** Factors of x, down to two levels; those that are the same along the axes stay whole. */
function factorsOf(x: Tensor, isAlike: (v: Tensor) => boolean): readonly Tensor[] {
  if (!isA(x.node, "mul") || isAlike(x)) return [x];
  return inputsOf(x.node).flatMap((v) =>
    isA(v.node, "mul") && !isAlike(v) ? inputsOf(v.node).map((inner): Tensor => inner) : [v],
  );
}

/** sum(x y v) -> sum(x y) v, where v is the same along the axes; sum(-x) -> -sum(x). */
export function factorsBehindSum(node: Node<"sum">, make: Make): Tensor | undefined {
  const [x] = inputsOf(node);
  const { axes, keep } = node.attributes;
  const sum = (of: Tensor): Tensor => one(make("sum", [of], { axes, keep }));
  if (isA(x.node, "neg")) return one(make("neg", [sum(inputsOf(x.node)[0])], {}));
  const rank = x.shape.length;
  const isAlike = (v: Tensor): boolean => axes.every((axis) => aligned(v, rank)[axis] === 1);
  const factors = factorsOf(x, isAlike);
  const outside = factors.filter(isAlike);
  // In one order, so that equal products are found to be equal.
  const [first, second, ...more] = factors
    .filter((v) => !isAlike(v))
    .toSorted((a, b) => a.node.id - b.node.id || a.index - b.index);
  if (outside.length === 0 || first === undefined || more.length > 0) return undefined;
  const shape = second === undefined ? first.shape : broadcastShapes(first.shape, second.shape);
  if (shape === undefined || !sameShape(shape, x.shape)) return undefined;
  const withoutSummed = (v: Tensor): Tensor => {
    const left = aligned(v, rank).filter((_, axis) => !axes.includes(axis));
    return keep ? v : one(make("reshape", [v], { shape: left }));
  };
  return outside.reduce(
    (all, v) => times(make, all, withoutSummed(v)),
    sum(second === undefined ? first : times(make, first, second)),
  );
}

/** x + y v + y v -> x + y v 2, which `smallFactorsFirst` makes one product, where v is smaller than y. */
export function addedTwice(node: Node<"add">, make: Make): Tensor | undefined {
  for (const [sum, added] of bothWays(inputsOf(node))) {
    if (!isA(sum.node, "add") || !isA(added.node, "mul") || added.dtype !== "float32") continue;
    const other = bothWays(inputsOf(sum.node)).find(([, again]) => again === added)?.[0];
    if (other === undefined || !inputsOf(added.node).some((v) => isSmaller(v, added))) continue;
    const two = one(make("constant", [], { data: Float32Array.of(2), shape: [], dtype: "float32" }));
    return one(make("add", [other, times(make, added, two)], {}));
  }
  return undefined;
}
