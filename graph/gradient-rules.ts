/**
 * What each operation passes back: the gradient of every input from the gradients of the outputs, as recorded operations.
 * One table over the closed set. "none" stands where the derivative is zero or there is no number to derive.
 */

import type { Builder } from "./builder.js";
import {
  attentionAgain,
  geluAgain,
  layerNormAgain,
  linearAgain,
  probabilitiesBack,
  softmaxAgain,
  statisticsBack,
  sum,
} from "./composite-gradients.js";
import type { Node } from "./graph.js";
import { InvariantError, invariant } from "./invariant.js";
import type { ArithmeticOperation, OperationName, UnaryOperation } from "./operations.js";
import { sameShape, type Tensor } from "./shape.js";
import { inputsOf, outputsOf } from "./signature.js";

interface Backward<O extends OperationName> {
  readonly g: Builder;
  readonly node: Node<O>;
  /** Gradient of each output; undefined where nothing depends on that output. At least one is there. */
  readonly dy: readonly (Tensor | undefined)[];
  /** Which inputs lead to what is differentiated; the gradients of others are dropped. */
  readonly wanted: readonly boolean[];
}

/** One gradient for each input, in the input's shape. */
export type GradientRule<O extends OperationName> = (back: Backward<O>) => readonly (Tensor | undefined)[];

/** The gradient of the only output, or of the first, the others being by-products that carry none. */
function first<O extends OperationName>({ node, dy }: Backward<O>): Tensor {
  const [only, ...others] = dy;
  invariant(
    only !== undefined && others.every((part) => part === undefined),
    `${node.operation}: only the first output has a gradient; the loss depends on another`,
  );
  return only;
}

/** Sums what broadcasting repeated, so that the gradient has the input's shape. */
function unbroadcast(g: Builder, dy: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const extra = dy.shape.length - shape.length;
  const repeated = dy.shape.flatMap((n, axis) =>
    axis < extra || (shape[axis - extra] === 1 && n !== 1) ? [axis] : [],
  );
  const summed = g.sum(dy, repeated, "keep");
  return sameShape(summed.shape, shape) ? summed : g.reshape(summed, shape.slice());
}

type Unary = Exclude<UnaryOperation, "sign" | "floor">;

/** x and y are the node's input and output. */
const unary =
  <O extends Unary>(rule: (g: Builder, dy: Tensor, x: Tensor, y: Tensor) => Tensor): GradientRule<O> =>
  (back) => {
    const [x] = back.node.inputs as readonly [Tensor];
    const [y] = back.node.outputs as readonly [Tensor];
    return [rule(back.g, first(back), x, y)];
  };

type Side = (g: Builder, dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor;

const binary =
  <O extends ArithmeticOperation>(left: Side, right: Side): GradientRule<O> =>
  (back) => {
    const { g, node, wanted } = back;
    const dy = first(back);
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    const [y] = node.outputs as readonly [Tensor];
    return [
      wanted[0] ? unbroadcast(g, left(g, dy, a, b, y), a.shape) : undefined,
      wanted[1] ? unbroadcast(g, right(g, dy, a, b, y), b.shape) : undefined,
    ];
  };

/** 1 where a > b, 0 where a < b, and half where they are equal: ties share the gradient. */
const share = (g: Builder, a: Tensor, b: Tensor): Tensor => g.add(g.mul(g.sign(g.sub(a, b)), 0.5), 0.5);

/** The shape of a reduction's result with the reduced axes kept as 1. */
const keptShape = ({ inputs: [x], attributes: { axes } }: Node<"sum" | "reduceMax">): number[] =>
  (x as Tensor).shape.map((n, axis) => (axes.includes(axis) ? 1 : n));

/** A gradient of a composite that is an operation of its own, and is not differentiated again. */
const noSecondOrder = <O extends OperationName>({ node }: Backward<O>): never => {
  throw new InvariantError(`${node.operation} has no gradient: it is differentiated once only`);
};

const noGradient = <O extends OperationName>({ node }: Backward<O>): never => {
  throw new InvariantError(`${node.operation} has no gradient: an optimizer's update is not differentiated`);
};

export const gradientRules: { readonly [O in OperationName]: GradientRule<O> | "none" } = {
  input: "none",
  constant: "none",

  neg: unary((g, dy) => g.neg(dy)),
  exp: unary((g, dy, _, y) => g.mul(dy, y)),
  log: unary((g, dy, x) => g.div(dy, x)),
  sqrt: unary((g, dy, _, y) => g.div(g.mul(dy, 0.5), y)),
  rsqrt: unary((g, dy, x, y) => g.mul(dy, g.mul(g.div(y, x), -0.5))),
  abs: unary((g, dy, x) => g.mul(dy, g.sign(x))),
  sign: "none",
  erf: unary((g, dy, x) => g.mul(dy, g.mul(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  tanh: unary((g, dy, _, y) => g.mul(dy, g.sub(g.constant(1), g.mul(y, y)))),
  sigmoid: unary((g, dy, _, y) => g.mul(dy, g.sub(y, g.mul(y, y)))),
  softplus: unary((g, dy, x) => g.mul(dy, g.sigmoid(x))),
  sin: unary((g, dy, x) => g.mul(dy, g.cos(x))),
  cos: unary((g, dy, x) => g.neg(g.mul(dy, g.sin(x)))),
  floor: "none",

  add: binary(
    (_, dy) => dy,
    (_, dy) => dy,
  ),
  sub: binary(
    (_, dy) => dy,
    (g, dy) => g.neg(dy),
  ),
  mul: binary(
    (g, dy, _, b) => g.mul(dy, b),
    (g, dy, a) => g.mul(dy, a),
  ),
  div: binary(
    (g, dy, _, b) => g.div(dy, b),
    (g, dy, _, b, y) => g.neg(g.mul(dy, g.div(y, b))),
  ),
  maximum: binary(
    (g, dy, a, b) => g.mul(dy, share(g, a, b)),
    (g, dy, a, b) => g.mul(dy, share(g, b, a)),
  ),
  minimum: binary(
    (g, dy, a, b) => g.mul(dy, share(g, b, a)),
    (g, dy, a, b) => g.mul(dy, share(g, a, b)),
  ),
  less: "none",
  lessEqual: "none",
  equal: "none",

  select: (back) => {
    const { g, node, wanted } = back;
    const dy = first(back);
    const [condition, a, b] = inputsOf(node);
    const chosen = condition as Tensor<number[], "bool">;
    return [
      undefined,
      wanted[1] ? unbroadcast(g, g.select(chosen, dy, 0), a.shape) : undefined,
      wanted[2] ? unbroadcast(g, g.select(chosen, g.constant(0), dy), b.shape) : undefined,
    ];
  },
  cast: (back) => [first(back)],
  stopGradient: "none",
  barrier: (back) => [first(back)],

  sum: (back) => {
    const [x] = inputsOf(back.node);
    const kept = back.g.reshape(first(back), keptShape(back.node));
    return [back.g.broadcast(kept, x.shape.slice())];
  },
  // Ties share the gradient evenly.
  reduceMax: (back) => {
    const { g, node } = back;
    const [x] = inputsOf(node);
    const [y] = outputsOf(node);
    const kept = keptShape(node);
    const largest = g.cast(g.equal(x, g.reshape(y, kept)), "float32");
    const ties = g.sum(largest, node.attributes.axes, "keep");
    return [g.mul(largest, g.div(g.reshape(first(back), kept), ties))];
  },
  argMax: "none",
  argSort: "none",

  reshape: (back) => [back.g.reshape(first(back), inputsOf(back.node)[0].shape.slice())],
  transpose: (back) => {
    const { permutation } = back.node.attributes;
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [back.g.transpose(first(back), inverse)];
  },
  broadcast: (back) => [unbroadcast(back.g, first(back), inputsOf(back.node)[0].shape)],
  concat: (back) => {
    const { g, node, wanted } = back;
    const { axis } = node.attributes;
    const dy = first(back);
    let from = 0;
    return node.inputs.map((part, i) => {
      const begin = dy.shape.map((_, at) => (at === axis ? from : 0));
      from += part.shape[axis] ?? 0;
      return wanted[i] ? g.slice(dy, begin, part.shape) : undefined;
    });
  },
  slice: (back) => {
    const [x] = inputsOf(back.node);
    const { begin, size } = back.node.attributes;
    const after = x.shape.map((n, axis) => n - (begin[axis] ?? 0) - (size[axis] ?? 0));
    return [back.g.pad(first(back), begin, after)];
  },
  pad: (back) => [back.g.slice(first(back), back.node.attributes.before, inputsOf(back.node)[0].shape)],
  // The indices of a row are distinct, so nothing adds up: each is the other's transpose.
  takeTokens: (back) => {
    const [x, index] = inputsOf(back.node);
    return [back.g.putTokens(first(back), index, x.shape[1] ?? 0), undefined];
  },
  putTokens: (back) => {
    const [, index] = inputsOf(back.node);
    return [back.g.takeTokens(first(back) as never, index as never), undefined];
  },
  // Each is the other's transpose: a row that was asked for twice has both gradients.
  lookUp: (back) => {
    const [table, index] = inputsOf(back.node);
    return [back.g.scatterAdd(first(back), index, table.shape[0] ?? 0), undefined];
  },
  scatterAdd: (back) => {
    const [, index] = inputsOf(back.node);
    return [back.g.lookUp(first(back) as never, index as never), undefined];
  },

  matmul: (back) => {
    const { g, node, wanted } = back;
    const { transposeA, transposeB } = node.attributes;
    const [a, b] = inputsOf(node);
    const dy = first(back);
    const da = (): Tensor =>
      transposeA ? g.matmul(b, dy, flags(transposeB, true)) : g.matmul(dy, b, flags(false, !transposeB));
    const db = (): Tensor =>
      transposeB ? g.matmul(dy, a, flags(true, transposeA)) : g.matmul(a, dy, flags(!transposeA, false));
    return [
      wanted[0] ? unbroadcast(g, da(), a.shape) : undefined,
      wanted[1] ? unbroadcast(g, db(), b.shape) : undefined,
    ];
  },

  linear: (back) => {
    const [x, weight] = inputsOf(back.node);
    return back.g.linearGrad(first(back), x, weight);
  },
  linearGrad: ({ g, node, dy }) => linearAgain(g, inputsOf(node), dy),
  // Its statistics have gradients where its own gradient is differentiated.
  layerNorm: ({ g, node, dy: [dy, ...statistics] }) => {
    const [x, gamma] = inputsOf(node);
    const [, mean, rstd] = outputsOf(node);
    const [dx, dgamma, dbeta] = dy ? g.layerNormGrad(dy, x, gamma, mean, rstd) : [];
    const beside = statistics.some((part) => part !== undefined)
      ? statisticsBack(g, [x, mean, rstd], statistics)
      : undefined;
    return [dx && beside ? g.add(dx, beside) : (dx ?? beside), dgamma, dbeta];
  },
  layerNormGrad: ({ g, node, dy }) => layerNormAgain(g, inputsOf(node), dy),
  softmax: (back) => [back.g.softmaxGrad(first(back), outputsOf(back.node)[0])],
  softmaxGrad: (back) => softmaxAgain(back.g, inputsOf(back.node), first(back)),
  gelu: (back) => [back.g.geluGrad(first(back), inputsOf(back.node)[0])],
  geluGrad: (back) => geluAgain(back.g, inputsOf(back.node), first(back)),
  // Its probabilities have gradients where its own gradient is differentiated.
  attention: ({ g, node, dy: [dy, dprobabilities], wanted }) => {
    const [q, k, v, bias] = inputsOf(node);
    const [, probabilities] = outputsOf(node);
    const { scale } = node.attributes;
    const own = dy ? g.attentionGrad(dy, q, k, v, probabilities, scale) : [];
    const beside = dprobabilities ? probabilitiesBack(g, [q, k, probabilities], dprobabilities, scale) : [];
    const [dq, dk, dscores] = [0, 1, 3].map((i) => sum(g, [own[i], beside[i]]));
    if (!bias) return [dq, dk, own[2]];
    return [dq, dk, own[2], wanted[3] && dscores ? unbroadcast(g, dscores, bias.shape) : undefined];
  },
  attentionGrad: ({ g, node, dy }) => attentionAgain(g, inputsOf(node), dy, node.attributes.scale),

  // One bilinear form: x, weight and y, each the gradient of the other two.
  conv: (back) => {
    const { g, node, wanted } = back;
    const [x, weight] = inputsOf(node);
    const [dy, size, kernel] = [first(back), x.shape.slice(1, -1), weight.shape.slice(2)];
    return [
      wanted[0] ? g.convInput(dy, weight, { ...node.attributes, size }) : undefined,
      wanted[1] ? g.convWeight(x, dy, { ...node.attributes, kernel }) : undefined,
    ];
  },
  convInput: (back) => {
    const { g, node, wanted } = back;
    const [y, weight] = inputsOf(node);
    const { size: _, ...attributes } = node.attributes;
    const dx = first(back);
    return [
      wanted[0] ? g.conv(dx, weight, attributes) : undefined,
      wanted[1] ? g.convWeight(dx, y, { ...attributes, kernel: weight.shape.slice(2) }) : undefined,
    ];
  },
  convWeight: (back) => {
    const { g, node, wanted } = back;
    const [x, y] = inputsOf(node);
    const { kernel: _, ...attributes } = node.attributes;
    const dweight = first(back);
    return [
      wanted[0] ? g.convInput(y, dweight, { ...attributes, size: x.shape.slice(1, -1) }) : undefined,
      wanted[1] ? g.conv(x, dweight, attributes) : undefined,
    ];
  },
  maxPool: (back) => [back.g.maxPoolGrad(first(back), inputsOf(back.node)[0], back.node.attributes)],
  maxPoolGrad: noSecondOrder,

  adamw: noGradient,
  sgd: noGradient,
  accumulate: noGradient,
};

const flags = (a: boolean, b: boolean): { readonly a?: true; readonly b?: true } => ({
  ...(a ? { a: true } : {}),
  ...(b ? { b: true } : {}),
});
