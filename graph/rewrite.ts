/** How a pass makes a new graph from an old one: node by node, in order, sharing whatever did not change. */

import type { Graph, Node } from "./graph.js";
import type { Attributes, OperationName } from "./operations.js";
import type { Tensor } from "./shape.js";
import { makeNode } from "./trace.js";

/** Adds a node to the new graph and gives its outputs. */
export type Make = <O extends OperationName>(
  operation: O,
  inputs: readonly Tensor[],
  attributes: Attributes[O],
) => readonly Tensor[];

/** The output of a node that has one. */
export const one = (outputs: readonly Tensor[]): Tensor => outputs[0] as Tensor;

/** Tensors to use for the node's outputs, or undefined to keep the node. `old` is the node as the graph before has it. */
export type Replace = (node: Node, make: Make, old: Node) => readonly Tensor[] | undefined;

/**
 * Asks `replace` about each node, whose inputs are already those of the new graph. Nodes that nobody reads any more stay;
 * removing them is the pass for dead code. Gives the same graph, not a copy, where nothing was replaced.
 */
export function rewrite(graph: Graph, replace: Replace): Graph {
  const nodes: Node[] = [];
  const renewed = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor): Tensor => renewed.get(tensor) ?? tensor;
  let nextId = graph.nodes.reduce((largest, node) => Math.max(largest, node.id), -1) + 1;
  let changed = false;
  for (const old of graph.nodes) {
    const node = withInputs(old, old.inputs.map(current));
    const make: Make = (operation, inputs, attributes) => {
      const made = makeNode(nextId++, operation, inputs, attributes, old.scope);
      nodes.push(made);
      return made.outputs;
    };
    const replacement = replace(node, make, old);
    if (replacement === undefined) nodes.push(node);
    else changed = true;
    const outputs = replacement ?? node.outputs;
    for (const [i, output] of old.outputs.entries()) {
      const now = outputs[i];
      if (now !== undefined && now !== output) renewed.set(output, now);
    }
  }
  if (!changed) return graph;
  const renew = (results: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
    new Map([...results].map(([name, tensor]) => [name, current(tensor)]));
  return { ...graph, nodes, outputs: renew(graph.outputs), updates: renew(graph.updates) };
}

const withInputs = <O extends OperationName>(node: Node<O>, inputs: readonly Tensor[]): Node<O> =>
  inputs.every((input, i) => input === node.inputs[i])
    ? node
    : makeNode(node.id, node.operation, inputs, node.attributes, node.scope);

/** Tensors that some node reads or a run returns, with how often. */
export function countUses(graph: Graph): ReadonlyMap<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const use = (tensor: Tensor): void => {
    uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  };
  for (const node of graph.nodes) node.inputs.forEach(use);
  for (const tensor of graph.outputs.values()) use(tensor);
  for (const tensor of graph.updates.values()) use(tensor);
  return uses;
}

/** Whether a node has this operation; narrows the type of its attributes. */
export const isA = <O extends OperationName>(node: Node, operation: O): node is Node<O> => node.operation === operation;

/** Whether a node computes nothing: fed, kept from run to run, or written in the graph. */
export const isSource = ({ operation }: Node): boolean => operation === "input" || operation === "constant";

/** The same graph, whose state bears other names. */
export function withStateNames(graph: Graph, nameOf: (name: string) => string): Graph {
  const kept = new Set([...graph.state.values()].map(({ node }) => node));
  const fed = new Set([...graph.feeds.values()].map(({ node }) => node));
  const renamed = rewrite(graph, (node, make) => {
    if (!kept.has(node) || !isA(node, "input")) return undefined;
    const name = nameOf(node.attributes.name);
    return name === node.attributes.name ? undefined : make("input", [], { ...node.attributes, name });
  });
  const state = renamed.nodes.flatMap((node) =>
    isA(node, "input") && !fed.has(node) ? [[node.attributes.name, node.outputs[0] as Tensor] as const] : [],
  );
  const updates = [...renamed.updates].map(([name, next]) => [nameOf(name), next] as const);
  return { ...renamed, state: new Map(state), updates: new Map(updates) };
}
