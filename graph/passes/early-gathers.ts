/** Work on tokens that nobody reads is not done: the tokens are picked before it, not after. */

import type { Node } from "../graph.js";
import { countUses, isA, type Make, rewrite } from "../rewrite.js";
import { sameShape, type Tensor } from "../shape.js";
import { inputsOf, outputsOf } from "../signature.js";
import type { Pass } from "./pass.js";
import { elementwise } from "./values.js";

export const earlyGathers: Pass = {
  name: "early-gathers",
  summary: "Tokens are picked before the token-wise operations whose results would be dropped, forwards and backwards.",
  run: (graph) => {
    const uses = countUses(graph);
    const usesOf = (tensor: Tensor | undefined): number => (tensor && uses.get(tensor)) ?? 0;
    return rewrite(graph, (node, make, old) => {
      if (isA(node, "takeTokens") && usesOf(old.inputs[0]) === 1) return takeBefore(node, make);
      if (isA(node, "linearGrad") && usesOf(old.outputs[0]) === 0) return takeInGradient(node, make);
      return undefined;
    });
  },
};

/** take(f(x), index) -> f(take(x, index)), where nothing else reads f(x). */
function takeBefore(node: Node<"takeTokens">, make: Make): readonly Tensor[] | undefined {
  const [x, index] = inputsOf(node);
  const few = outputsOf(node)[0].shape[1] ?? 0;
  const producer = x.node;
  if (few === x.shape[1]) return undefined;
  if (isA(producer, "linear") && x.shape.length >= 3) {
    const [rows, weight, bias] = inputsOf(producer);
    return make("linear", [...make("takeTokens", [rows, index], {}), weight, bias], {});
  }
  if (!elementwise.has(producer.operation)) return undefined;
  const picked = producer.inputs.map((input) => pick(input, x.shape, index, make));
  return make(producer.operation, picked, producer.attributes);
}

/** The rows of one operand that broadcasts to `shape`; itself where all tokens share one. */
function pick(operand: Tensor, shape: readonly number[], index: Tensor, make: Make): Tensor {
  const tokens = operand.shape[operand.shape.length - shape.length + 1] ?? 1;
  if (tokens === 1) return operand;
  const full = [...shape.slice(0, 2), ...operand.shape.slice(operand.shape.length - shape.length + 2)];
  const [whole] = sameShape(operand.shape, full) ? [operand] : make("broadcast", [operand], { shape: full });
  return make("takeTokens", [whole as Tensor, index], {})[0] as Tensor;
}

/**
 * The gradient of a weight, where dy is zero but for some tokens: from these tokens alone.
 * Only where the gradient of x, which has all tokens, is not asked for.
 */
function takeInGradient(node: Node<"linearGrad">, make: Make): readonly Tensor[] | undefined {
  const [dy, x, weight] = inputsOf(node);
  if (!isA(dy.node, "putTokens")) return undefined;
  const [few, index] = inputsOf(dy.node);
  if (few.shape[1] === dy.shape[1]) return undefined;
  const [picked] = make("takeTokens", [x, index], {});
  return make("linearGrad", [few, picked as Tensor, weight], {});
}
