/**
 * Reverse-mode differentiation, graph to graph: the gradients are more nodes on the same trace.
 * What each operation passes back is `gradient-rules.ts`; here is the walk.
 */

import type { Builder } from "./builder.js";
import { showForm } from "./form.js";
import { type GradientRule, gradientRules } from "./gradient-rules.js";
import type { Node } from "./graph.js";
import { invariant } from "./invariant.js";
import type { OperationName } from "./operations.js";
import { type Recompute, recomputing } from "./recompute.js";
import type { Tensor } from "./shape.js";
import { reachable } from "./trace.js";

/**
 * Gradients of a scalar with respect to tensors of its trace.
 *
 * A gradient is computed only where it leads to one of `wrt`; outputs of a `...Grad` node that nobody asked for stay
 * unused in the graph, and neither `cost` nor an executor need count or compute them. Recorded nodes carry the scope
 * `gradient/` and then that of the node they differentiate.
 *
 * @param g the builder that recorded `loss`.
 * @param loss float32 [].
 * @param wrt float32 tensors, of any shape.
 * @param recompute what of the forward pass is computed again instead of kept; the numbers are the same.
 * @returns one gradient for each of `wrt`, in its shape; zeros where the loss does not depend on it.
 * @throws InvariantError where the loss is no scalar, or an operation on the way has no gradient.
 */
export function gradients(
  g: Builder,
  loss: Tensor,
  wrt: readonly Tensor[],
  recompute: Recompute = "nothing",
): Tensor[] {
  invariant(loss.shape.length === 0 && loss.dtype === "float32", `a loss is float32 [], not ${showForm(loss)}`);
  const nodes = [...reachable([loss])].sort((a, b) => a.id - b.id);
  const active = dependents(nodes, wrt);
  const total = new Map<Tensor, Tensor>();
  return g.scope("gradient", () => {
    total.set(loss, g.constant(1));
    const anew = recomputing(g, nodes, recompute);
    for (const node of nodes.toReversed()) {
      const dy = node.outputs.map((output) => total.get(output));
      if (dy.every((part) => part === undefined) || !node.inputs.some((input) => active.has(input))) continue;
      const wanted = node.inputs.map((input) => active.has(input));
      const source = anew(node);
      const parts = g.scope(node.scope, () => passBack(g, source, dy, wanted));
      for (const [i, part] of parts.entries()) {
        const input = node.inputs[i];
        if (part === undefined || input === undefined || !active.has(input)) continue;
        const before = total.get(input);
        const sum = before === undefined ? part : g.scope(node.scope, () => g.add(before, part));
        total.set(input, sum);
      }
    }
    return wrt.map((tensor) => total.get(tensor) ?? g.constant(0, tensor.shape.slice()));
  });
}

/** `wrt` and all tensors made from them along which a gradient can flow. `nodes` are in order. */
function dependents(nodes: readonly Node[], wrt: readonly Tensor[]): ReadonlySet<Tensor> {
  const active = new Set(wrt);
  for (const node of nodes) {
    if (gradientRules[node.operation] === "none" || !node.inputs.some((input) => active.has(input))) continue;
    for (const output of node.outputs) if (output.dtype === "float32") active.add(output);
  }
  return active;
}

function passBack<O extends OperationName>(
  g: Builder,
  node: Node<O>,
  dy: readonly (Tensor | undefined)[],
  wanted: readonly boolean[],
): readonly (Tensor | undefined)[] {
  const rule: "none" | GradientRule<O> = gradientRules[node.operation];
  return rule === "none" ? [] : rule({ g, node, dy, wanted });
}
