/** Identities: what adds zero, multiplies by one, or moves elements to where they are already. */

import { broadcastShapes } from "../form.js";
import type { Node } from "../graph.js";
import type { OperationName } from "../operations.js";
import { isA, type Make, one, rewrite } from "../rewrite.js";
import { sameShape, type Tensor } from "../shape.js";
import { inputsOf, outputsOf } from "../signature.js";
import { addedTwice, factorsBehindSum, smallFactorsFirst } from "./factors.js";
import type { Pass } from "./pass.js";
import { fillOf } from "./values.js";

/** What to use for the only output, or undefined where the rule does not apply. */
type Rule<O extends OperationName> = (node: Node<O>, make: Make) => Tensor | undefined;

export const algebra: Pass = {
  name: "algebra",
  summary: "Operations that change nothing are dropped, and movements in a row become one.",
  run: (graph) =>
    rewrite(graph, (node, make) => {
      const simpler = apply(node, make);
      return simpler && [simpler];
    }),
};

const apply = <O extends OperationName>(node: Node<O>, make: Make): Tensor | undefined => {
  const rule: Rule<O> | undefined = rules[node.operation];
  return rule?.(node, make);
};

/** Whether a tensor is a constant that repeats one value. */
const isFill = ({ node }: Tensor, value: number): boolean => fillOf(node)?.[0] === value;

/** `x`, where it has the shape of the node's result. */
const unchanged = (node: Node, x: Tensor): Tensor | undefined =>
  sameShape(x.shape, (node.outputs[0] as Tensor).shape) ? x : undefined;

/** The operation without a broadcast of one of its inputs, where the others give the result its shape anyway. */
const unbroadcast: Rule<
  "add" | "sub" | "mul" | "div" | "maximum" | "minimum" | "less" | "lessEqual" | "equal" | "select"
> = (node, make) => {
  const [{ shape }] = outputsOf(node);
  for (const [i, input] of node.inputs.entries()) {
    if (input.node.operation !== "broadcast") continue;
    const inputs: readonly Tensor[] = node.inputs.with(i, input.node.inputs[0] as Tensor);
    const result = inputs.reduce<readonly number[]>((sum, { shape: own }) => broadcastShapes(sum, own) ?? [], []);
    if (sameShape(result, shape)) return one(make(node.operation, inputs, node.attributes));
  }
  return undefined;
};

/** The tensor without the given value on either side, or without a broadcast. */
const neutral =
  <O extends "add" | "sub" | "mul" | "div">(value: number, sides: "both" | "right"): Rule<O> =>
  (node, make) => {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    const left = isFill(b, value) ? unchanged(node, a) : undefined;
    const right = sides === "both" && isFill(a, value) ? unchanged(node, b) : undefined;
    return left ?? right ?? unbroadcast(node, make);
  };

/**
 * pad(a) + pad(b), where they fill neighbouring parts of one axis, is pad(concat(a, b)): what slicing a tensor into parts
 * leaves behind in its gradient.
 */
function sumOfPads(node: Node<"add">, make: Make): Tensor | undefined {
  const [left, right] = inputsOf(node).map((input) => input.node) as [Node, Node];
  if (!isA(left, "pad") || !isA(right, "pad")) return undefined;
  const [a, b] = [inputsOf(left)[0], inputsOf(right)[0]];
  const starts = left.attributes.before;
  const differing = starts.flatMap((n, axis) => (n === right.attributes.before[axis] ? [] : [axis]));
  const [axis, another] = differing;
  if (axis === undefined || another !== undefined || !sameShape(a.shape.with(axis, 0), b.shape.with(axis, 0))) {
    return undefined;
  }
  const [first, second] = (starts[axis] ?? 0) < (right.attributes.before[axis] ?? 0) ? [left, right] : [right, left];
  const parts = [...inputsOf(first), ...inputsOf(second)];
  if ((first.attributes.before[axis] ?? 0) + (parts[0]?.shape[axis] ?? 0) !== second.attributes.before[axis]) {
    return undefined;
  }
  const joined = make("concat", parts, { axis });
  return one(make("pad", joined, { before: first.attributes.before, after: second.attributes.after }));
}

/** Reducing nothing, or axes of one element, only changes the shape. */
const trivialReduction: Rule<"sum" | "reduceMax"> = (node, make) => {
  const [x] = inputsOf(node);
  if (!node.attributes.axes.every((axis) => x.shape[axis] === 1)) return undefined;
  return one(make("reshape", [x], { shape: outputsOf(node)[0].shape }));
};

/** A slice that lies in one part of a concatenation, taken from that part. */
function sliceOfConcat(node: Node<"slice">, joined: Node<"concat">, make: Make): Tensor | undefined {
  const { axis } = joined.attributes;
  const { begin, size } = node.attributes;
  const from = begin[axis] ?? 0;
  const to = from + (size[axis] ?? 0);
  let start = 0;
  for (const part of joined.inputs) {
    const end = start + (part.shape[axis] ?? 0);
    if (from >= start && to <= end) return one(make("slice", [part], { begin: begin.with(axis, from - start), size }));
    start = end;
  }
  return undefined;
}

const rules: { readonly [O in OperationName]?: Rule<O> } = {
  add: (node, make) => neutral<"add">(0, "both")(node, make) ?? sumOfPads(node, make) ?? addedTwice(node, make),
  sub: neutral(0, "right"),
  mul: (node, make) => neutral<"mul">(1, "both")(node, make) ?? smallFactorsFirst(node, make),
  div: neutral(1, "right"),
  maximum: unbroadcast,
  minimum: unbroadcast,
  less: unbroadcast,
  lessEqual: unbroadcast,
  equal: unbroadcast,
  select: (node, make) => {
    const [condition, a, b] = inputsOf(node);
    if (isFill(condition, 1)) return unchanged(node, a);
    if (isFill(condition, 0)) return unchanged(node, b);
    return unbroadcast(node, make);
  },
  neg: (node) => {
    const [x] = inputsOf(node);
    return isA(x.node, "neg") ? inputsOf(x.node)[0] : undefined;
  },
  cast: (node) => {
    const [x] = inputsOf(node);
    return x.dtype === node.attributes.dtype ? x : undefined;
  },
  // After differentiation it says nothing more.
  stopGradient: (node) => inputsOf(node)[0],
  sum: (node, make) => trivialReduction(node, make) ?? factorsBehindSum(node, make),
  reduceMax: trivialReduction,
  reshape: (node, make) => {
    const [x] = inputsOf(node);
    if (isA(x.node, "reshape")) return one(make("reshape", inputsOf(x.node), node.attributes));
    return unchanged(node, x);
  },
  transpose: (node, make) => {
    const [x] = inputsOf(node);
    const { permutation } = node.attributes;
    if (permutation.every((axis, i) => axis === i)) return x;
    if (!isA(x.node, "transpose")) return undefined;
    const inner = x.node.attributes.permutation;
    return one(make("transpose", inputsOf(x.node), { permutation: permutation.map((axis) => inner[axis] ?? 0) }));
  },
  broadcast: (node, make) => {
    const [x] = inputsOf(node);
    if (isA(x.node, "broadcast")) return one(make("broadcast", inputsOf(x.node), node.attributes));
    return unchanged(node, x);
  },
  concat: (node, make) => {
    const { axis } = node.attributes;
    if (node.inputs.length === 1) return node.inputs[0];
    const nested = (part: Tensor): boolean => isA(part.node, "concat") && part.node.attributes.axis === axis;
    if (!node.inputs.some(nested)) return undefined;
    const parts = node.inputs.flatMap((part) => (nested(part) ? part.node.inputs : [part]));
    return one(make("concat", parts, { axis }));
  },
  slice: (node, make) => {
    const [x] = inputsOf(node);
    if (isA(x.node, "concat")) return unchanged(node, x) ?? sliceOfConcat(node, x.node, make);
    if (!isA(x.node, "slice")) return unchanged(node, x);
    const outer = x.node.attributes.begin;
    const begin = node.attributes.begin.map((n, axis) => n + (outer[axis] ?? 0));
    return one(make("slice", inputsOf(x.node), { begin, size: node.attributes.size }));
  },
  pad: (node) => unchanged(node, inputsOf(node)[0]),
  // The indices of a row are distinct, so what was put comes back.
  takeTokens: (node) => {
    const [x, index] = inputsOf(node);
    return isA(x.node, "putTokens") && inputsOf(x.node)[1] === index ? inputsOf(x.node)[0] : undefined;
  },
};
