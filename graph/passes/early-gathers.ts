/**
 * Work on tokens that nobody reads is not done: tokens are picked before it, not after. Backwards, the gradient of tokens
 * that were not picked is zero, and work on zeros is not done either: the others are put in their places after it.
 */

import type { Graph, Node } from "../graph.js";
import { countUses, isA, type Make, one, rewrite } from "../rewrite.js";
import { sameShape, type Tensor } from "../shape.js";
import { inputsOf, outputsOf } from "../signature.js";
import type { Pass } from "./pass.js";
import { elementwise } from "./values.js";

export const earlyGathers: Pass = {
  name: "early-gathers",
  summary: "Tokens are picked before the token-wise operations whose results would be dropped, forwards and backwards.",
  run: (graph) => {
    const readers = readersOf(graph);
    const uses = countUses(graph);
    return rewrite(graph, (node, make, old) => {
      if (isA(node, "takeTokens")) {
        const { node: producer } = old.inputs[0] as Tensor;
        const index = old.inputs[1] as Tensor;
        const all = producer.outputs.every((output) => onlyTakenBy(readers.get(output), index, uses.get(output)));
        return all ? takeBefore(node, make) : undefined;
      }
      return putAfter(node, make);
    });
  },
};

function readersOf(graph: Graph): ReadonlyMap<Tensor, readonly Node[]> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  }
  return readers;
}

/** Whether all that reads a tensor picks the same tokens of it. A result of the graph has a use without a node. */
const onlyTakenBy = (readers: readonly Node[] = [], index: Tensor, uses = 0): boolean =>
  readers.length === uses && readers.every((node) => isA(node, "takeTokens") && node.inputs[1] === index);

/** Tokens of [B, N, ...]. */
const tokensOf = ({ shape }: Tensor): number => shape[1] ?? 0;

/** take(f(x), index) -> f(take(x, index)), where nothing reads other tokens of f(x). */
function takeBefore(node: Node<"takeTokens">, make: Make): readonly Tensor[] | undefined {
  const [x, index] = inputsOf(node);
  const producer = x.node;
  if (tokensOf(outputsOf(node)[0]) === tokensOf(x)) return undefined;
  const take = (tensor: Tensor): Tensor => one(make("takeTokens", [tensor, index], {}));
  if (isA(producer, "linear") && x.shape.length >= 3) {
    const [rows, weight, bias] = inputsOf(producer);
    return make("linear", [take(rows), weight, bias], {});
  }
  if (isA(producer, "layerNorm") && x.shape.length >= 3) {
    const [rows, gamma, beta] = inputsOf(producer);
    return [make("layerNorm", [take(rows), gamma, beta], producer.attributes)[x.index] as Tensor];
  }
  if (isA(producer, "slice")) {
    const [whole] = inputsOf(producer);
    const { begin } = producer.attributes;
    if (!onlyTokensDiffer(whole, x)) return undefined;
    return make("takeTokens", [whole, later(index, begin[1] ?? 0, make)], {});
  }
  if (!elementwise.has(producer.operation)) return undefined;
  const picked = producer.inputs.map((input) => pick(input, x.shape, index, make));
  return make(producer.operation, picked, producer.attributes);
}

/** Whether two shapes are alike but for the number of tokens. */
const onlyTokensDiffer = (a: Tensor, b: Tensor): boolean => sameShape(a.shape.with(1, 0), b.shape.with(1, 0));

/** The index of the same tokens where `before` others stand in front. */
const later = (index: Tensor, before: number, make: Make): Tensor => {
  const offset = one(make("constant", [], { data: Int32Array.of(before), shape: [], dtype: "int32" }));
  return one(make("add", [index, offset], {}));
};

/** The rows of one operand that broadcasts to `shape`; itself where all tokens share one. */
function pick(operand: Tensor, shape: readonly number[], index: Tensor, make: Make): Tensor {
  const tokens = operand.shape[operand.shape.length - shape.length + 1] ?? 1;
  if (tokens === 1) return operand;
  const full = [...shape.slice(0, 2), ...operand.shape.slice(operand.shape.length - shape.length + 2)];
  const whole = sameShape(operand.shape, full) ? operand : one(make("broadcast", [operand], { shape: full }));
  return one(make("takeTokens", [whole, index], {}));
}

/** Gradients of which a token's row is zero where that of dy, the first input, is; the second input has a row a token too. */
type RowGradient = "linearGrad" | "layerNormGrad" | "geluGrad";

const isRowGradient = (node: Node): node is Node<RowGradient> =>
  isA(node, "linearGrad") || isA(node, "layerNormGrad") || isA(node, "geluGrad");

/** f(put(dy, index)) -> put(f(dy), index) */
function putAfter(node: Node, make: Make): readonly Tensor[] | undefined {
  const put = node.inputs[0]?.node;
  if (put === undefined || !isA(put, "putTokens") || put.outputs[0] === undefined) return undefined;
  const [few, index] = inputsOf(put);
  const { count } = put.attributes;
  if (tokensOf(few) === count) return undefined;
  const back = (tensor: Tensor): Tensor => one(make("putTokens", [tensor, index], { count }));
  if (isRowGradient(node) && few.shape.length >= 3) {
    const [, ...others] = node.inputs;
    // x, and of a normalization its mean and deviation: [B, N, ...]. The rest are weights.
    const rows = others.map((input) =>
      input.shape.length === few.shape.length ? one(make("takeTokens", [input, index], {})) : input,
    );
    const [dx, ...weights] = make(node.operation, [few, ...rows], node.attributes);
    return [back(dx as Tensor), ...weights];
  }
  if (isA(node, "pad")) {
    const [dy] = inputsOf(node);
    const [padded] = outputsOf(node);
    if (!onlyTokensDiffer(dy, padded)) return undefined;
    return make("putTokens", [few, later(index, node.attributes.before[1] ?? 0, make)], { count: tokensOf(padded) });
  }
  if (!isA(node, "add")) return undefined;
  const other = inputsOf(node)[1].node;
  if (!isA(other, "putTokens") || inputsOf(other)[1] !== index || !sameShape(inputsOf(other)[0].shape, few.shape)) {
    return undefined;
  }
  return [back(one(make("add", [few, inputsOf(other)[0]], {})))];
}
