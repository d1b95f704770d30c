/** What a graph costs to run: floating-point operations, counted from shapes. */

import type { Graph, Node } from "./graph.js";
import type { OperationName } from "./operations.js";
import { countUses } from "./rewrite.js";
import { sizeOf, type Tensor } from "./shape.js";
import { inputsOf, outputsOf } from "./signature.js";

/** Floating-point operations. */
export interface Flops {
  /** Of matrix products: a multiplication and an addition are two. */
  readonly matmul: number;
  /** Of everything else: each arithmetic operation and each function of an element is one, moving elements none. */
  readonly other: number;
}

export interface Cost extends Flops {
  /** By the id of the node. */
  readonly byNode: ReadonlyMap<number, Flops>;
  /** By the scope in which nodes were made, outer scopes not included in inner ones or the other way round. */
  readonly byScope: ReadonlyMap<string, Flops>;
}

/** Operations of one node; `used` says of a tensor whether anything reads it. */
type CostRule<O extends OperationName> = (node: Node<O>, used: (tensor: Tensor) => boolean) => Flops;

const nothing: Flops = { matmul: 0, other: 0 };
const free = (): Flops => nothing;

/** So many operations for each element of the first output. */
const perElement =
  (count: number) =>
  (node: Node): Flops => ({ matmul: 0, other: count * elements(node.outputs[0]) });

const perInputElement = (node: Node): Flops => ({ matmul: 0, other: elements(node.inputs[0]) });

const elements = (tensor: Tensor | undefined): number => (tensor === undefined ? 0 : sizeOf(tensor.shape));

/** Sizes of the last axis and of the one before. */
const last = (tensor: Tensor): number => tensor.shape.at(-1) ?? 1;
const beforeLast = (tensor: Tensor): number => tensor.shape.at(-2) ?? 1;

/** The sum of the parts that are needed. */
const total = (...parts: readonly (readonly [needed: boolean, count: number])[]): number =>
  parts.reduce((sum, [needed, count]) => sum + (needed ? count : 0), 0);

/** weight [O, I / groups, ...K] and y [B, ...T, O]. */
const convolution = (weight: readonly number[], y: Tensor): Flops => ({
  matmul: 2 * sizeOf(weight.slice(1)) * elements(y),
  other: 0,
});

const rules: { readonly [O in OperationName]: CostRule<O> } = {
  input: free,
  constant: free,
  neg: perElement(1),
  exp: perElement(1),
  log: perElement(1),
  sqrt: perElement(1),
  rsqrt: perElement(1),
  abs: perElement(1),
  sign: perElement(1),
  erf: perElement(1),
  tanh: perElement(1),
  sigmoid: perElement(1),
  softplus: perElement(1),
  sin: perElement(1),
  cos: perElement(1),
  floor: perElement(1),
  add: perElement(1),
  sub: perElement(1),
  mul: perElement(1),
  div: perElement(1),
  maximum: perElement(1),
  minimum: perElement(1),
  less: perElement(1),
  lessEqual: perElement(1),
  equal: perElement(1),
  select: perElement(1),
  cast: perElement(1),
  stopGradient: free,
  barrier: free,
  sum: perInputElement,
  reduceMax: perInputElement,
  argMax: perInputElement,
  // n log2 n comparisons a row.
  argSort: (node) => {
    const [x] = inputsOf(node);
    return { matmul: 0, other: elements(x) * Math.ceil(Math.log2(Math.max(last(x), 1))) };
  },
  reshape: free,
  transpose: free,
  broadcast: free,
  concat: free,
  slice: free,
  pad: free,
  takeTokens: free,
  putTokens: free,
  lookUp: free,
  scatterAdd: perInputElement,

  matmul: (node) => {
    const [a] = inputsOf(node);
    const inner = node.attributes.transposeA ? beforeLast(a) : last(a);
    return { matmul: 2 * inner * elements(node.outputs[0]), other: 0 };
  },
  linear: (node) => {
    const [x] = inputsOf(node);
    const [y] = outputsOf(node);
    return { matmul: 2 * last(x) * elements(y), other: elements(y) };
  },
  // Two products, each only where its result is read: dy weight for dx, dy^T x for dweight; dbias is a sum.
  linearGrad: (node, used) => {
    const [dy, x] = inputsOf(node);
    const [dx, dweight, dbias] = outputsOf(node);
    const product = 2 * last(x) * elements(dy);
    return {
      matmul: total([used(dx), product], [used(dweight), product]),
      other: total([used(dbias), elements(dy)]),
    };
  },
  // mean 1, centre 1, square 1, sum 1, scale 1, gamma 1, beta 1
  layerNorm: perElement(7),
  // dx: normalise 2, dy gamma 1, two row sums 3, combine 4; dgamma 2, dbeta 1
  layerNormGrad: (node, used) => {
    const [dx, dgamma, dbeta] = outputsOf(node);
    const n = elements(dx);
    return { matmul: 0, other: total([used(dx), 10 * n], [used(dgamma), 2 * n], [used(dbeta), n]) };
  },
  // largest 1, subtract 1, exp 1, sum 1, divide 1
  softmax: perElement(5),
  // product 1, sum 1, subtract 1, product 1
  softmaxGrad: perElement(4),
  // x / sqrt 2, erf, + 1, / 2, times x
  gelu: perElement(5),
  // Phi 4, phi 4, x phi + Phi 2, times dy 1
  geluGrad: perElement(11),
  // q k^T and p v; scale 1 and softmax 5 a score, and 1 for a bias
  attention: (node) => {
    const [q, , , bias] = inputsOf(node);
    const [, probabilities] = outputsOf(node);
    const scores = elements(probabilities);
    return { matmul: 2 * 2 * last(q) * scores, other: (bias ? 7 : 6) * scores };
  },
  // From the saved probabilities: dv = p^T dy; dp = dy v^T, then dq = ds k and dk = ds^T q; softmaxGrad 4 and scale 1.
  attentionGrad: (node, used) => {
    const [, q, , , probabilities] = inputsOf(node);
    const [dq, dk, dv, dscores] = outputsOf(node);
    const scores = elements(probabilities);
    const product = 2 * last(q) * scores;
    const inner = used(dq) || used(dk) || used(dscores);
    return {
      matmul: total([used(dv), product], [inner, product], [used(dq), product], [used(dk), product]),
      other: total([inner, 5 * scores]),
    };
  },
  // The three of one convolution: a product for each number of y, of a window over the channels of its group.
  conv: (node) => convolution(inputsOf(node)[1].shape, outputsOf(node)[0]),
  convInput: (node) => convolution(inputsOf(node)[1].shape, inputsOf(node)[0]),
  convWeight: (node) => convolution(outputsOf(node)[0].shape, inputsOf(node)[1]),
  maxPool: (node) => ({ matmul: 0, other: sizeOf(node.attributes.kernel) * elements(node.outputs[0]) }),
  maxPoolGrad: (node) => ({ matmul: 0, other: sizeOf(node.attributes.kernel) * elements(node.inputs[0]) }),
  // m 3, v 4, corrections 2, root 1, epsilon 1, quotient 1, decay 2, rate 1, subtract 1
  adamw: perElement(16),
  // decay 2, momentum 2, rate 1, subtract 1; nesterov 2 more
  sgd: (node) => perElement(node.attributes.nesterov ? 8 : 6)(node),
  // keep 1, share 1, add 1
  accumulate: perElement(3),
};

const costOf = <O extends OperationName>(node: Node<O>, used: (tensor: Tensor) => boolean): Flops => {
  const rule: CostRule<O> = rules[node.operation];
  return rule(node, used);
};

/**
 * Floating-point operations of one run, in total, by node and by scope.
 *
 * Outputs of a node that nothing reads are not computed and not counted: the gradient of a linear layer whose input is
 * the image has one matrix product, not two. Which outputs those are is a fact of the graph, from `countUses`.
 */
export function cost(graph: Graph): Cost {
  const uses = countUses(graph);
  const used = (tensor: Tensor): boolean => uses.has(tensor);
  const byNode = new Map<number, Flops>();
  const byScope = new Map<string, Flops>();
  let sum = nothing;
  for (const node of graph.nodes) {
    const flops = costOf(node, used);
    byNode.set(node.id, flops);
    byScope.set(node.scope, plus(byScope.get(node.scope) ?? nothing, flops));
    sum = plus(sum, flops);
  }
  return { ...sum, byNode, byScope };
}

const plus = (a: Flops, b: Flops): Flops => ({ matmul: a.matmul + b.matmul, other: a.other + b.other });
