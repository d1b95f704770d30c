/**
 * Memory for time: what a layer computed on the way to the loss is not kept for its gradient but computed once more, just
 * before it. What stays is what goes from one layer to the next. As in Chen et al. 2016, "Training deep nets with sublinear
 * memory cost"; the layers are those that model code calls, outermost ones.
 */

import type { Builder } from "./builder.js";
import type { Node } from "./graph.js";
import { isSource } from "./rewrite.js";
import { bytesOf, sizeOf, type Tensor } from "./shape.js";

/** What is computed again: nothing, or all layers that keep much more than they are given. */
export type Recompute = "nothing" | "layers";

/** Worth it where a layer keeps that many times what it is given: a transformer block does, a linear layer does not. */
const worth = 4;

/** The nodes of one call of an outermost layer, in order. */
type Call = readonly Node[];

/**
 * For the walk back over `nodes`: gives the node from which a gradient reads. That is the node itself, or its copy, which
 * is recorded with its layer's others when the first of them is asked for.
 *
 * A copy starts behind a `barrier`, so that no pass and no runtime takes it for what was computed before.
 */
export function recomputing(g: Builder, nodes: readonly Node[], what: Recompute): (node: Node) => Node {
  if (what === "nothing") return (node) => node;
  const calls = callsOf(nodes);
  const copies = new Map<Call, ReadonlyMap<Node, Node>>();
  return (node) => {
    const call = calls.get(node);
    if (call === undefined) return node;
    const known = copies.get(call) ?? g.scope("again", () => copyOf(g, call));
    copies.set(call, known);
    return known.get(node) as Node;
  };
}

/** The outermost counted scope: `student/block#3/linear#1` belongs to `student/block#3`. */
const callOf = ({ scope }: Node): string | undefined => /^[^#]*#\d+/.exec(scope)?.[0];

/** The calls worth computing again, by their nodes. The last one is not: its gradient comes first. */
function callsOf(nodes: readonly Node[]): ReadonlyMap<Node, Call> {
  const byName = new Map<string, Node[]>();
  for (const node of nodes.filter((one) => !isSource(one))) {
    const name = callOf(node);
    if (name === undefined) continue;
    const known = byName.get(name);
    if (known) known.push(node);
    else byName.set(name, [node]);
  }
  const calls = [...byName.values()].filter(isWorthIt).slice(0, -1);
  return new Map(calls.flatMap((call) => call.map((node) => [node, call] as const)));
}

function isWorthIt(call: Call): boolean {
  const own = new Set(call);
  const given = new Set(call.flatMap((node) => node.inputs.filter((input) => comesFromOutside(input, own))));
  const made = call.flatMap((node) => node.outputs);
  return given.size > 0 && bytes(made) >= worth * bytes([...given]);
}

/** Computed by another layer: weights and feeds are there anyway. */
const comesFromOutside = ({ node }: Tensor, own: ReadonlySet<Node>): boolean => !own.has(node) && !isSource(node);

const bytes = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, { dtype, shape }) => sum + bytesOf[dtype] * sizeOf(shape), 0);

function copyOf(g: Builder, call: Call): ReadonlyMap<Node, Node> {
  const own = new Set(call);
  const copies = new Map<Node, Node>();
  const barriers = new Map<Tensor, Tensor>();
  const behind = (input: Tensor): Tensor => {
    const made = barriers.get(input) ?? g.barrier(input);
    barriers.set(input, made);
    return made;
  };
  for (const node of call) {
    const inputs = node.inputs.map((input) => {
      if (comesFromOutside(input, own)) return behind(input);
      return copies.get(input.node)?.outputs[input.index] ?? input;
    });
    // What comes from weights alone is the same again and stays.
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    const made = changed ? g.scope(node.scope, () => g.again(node, inputs)) : node.outputs;
    copies.set(node, (made[0] as Tensor).node);
  }
  return copies;
}
