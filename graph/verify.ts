/** Whether a graph is well formed: what passes must keep, and executors may rely on. */

import { type Form, showForm } from "./form.js";
import type { Graph, Node } from "./graph.js";
import type { OperationName } from "./operations.js";
import { sameShape, type Tensor } from "./shape.js";
import { inferForms } from "./shape-rules.js";

/**
 * Everything wrong with a graph, a sentence each; none for a graph of the builder or of `simplify`.
 * Every input is made before it is used, forms are those of the shape rules, ids and names are unique, declared inputs
 * and results are there and fit.
 */
export function verify(graph: Graph): readonly string[] {
  const made = new Set<Tensor>();
  const ids = new Set<number>();
  const problems: string[] = [];
  for (const node of graph.nodes) {
    const name = `node ${node.id} (${node.operation})`;
    if (ids.has(node.id)) problems.push(`${name}: its id is taken`);
    ids.add(node.id);
    for (const input of node.inputs) {
      if (!made.has(input)) problems.push(`${name}: uses node ${input.node.id} before it is made`);
    }
    problems.push(...formProblems(node).map((problem) => `${name}: ${problem}`));
    for (const output of node.outputs) made.add(output);
  }
  return [...problems, ...declarationProblems(graph, made), ...resultProblems(graph, made)];
}

function formProblems<O extends OperationName>(node: Node<O>): readonly string[] {
  let expected: readonly Form[];
  try {
    expected = inferForms(node.operation, node.inputs, node.attributes);
  } catch (error) {
    return [String(error)];
  }
  const problems: string[] = [];
  if (expected.length !== node.outputs.length) problems.push(`has ${node.outputs.length} outputs`);
  for (const [i, form] of expected.entries()) {
    const output = node.outputs[i];
    if (output === undefined) continue;
    if (output.node !== node || output.index !== i) problems.push(`output ${i} points elsewhere`);
    if (!sameForm(output, form)) problems.push(`output ${i} is ${showForm(output)}, the rule says ${showForm(form)}`);
  }
  return problems;
}

const sameForm = (a: Form, b: Form): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

function declarationProblems(graph: Graph, made: ReadonlySet<Tensor>): readonly string[] {
  const declared = [...graph.feeds, ...graph.state];
  const problems = declared.flatMap(([name, tensor]) => {
    const { operation, attributes } = tensor.node;
    const fits = operation === "input" && "name" in attributes && attributes.name === name && made.has(tensor);
    return fits ? [] : [`"${name}" is not an input of that name in the graph`];
  });
  const tensors = new Set(declared.map(([, tensor]) => tensor));
  const stray = graph.nodes.filter((node) => node.operation === "input" && !tensors.has(node.outputs[0] as Tensor));
  const twice = [...graph.feeds.keys()].filter((name) => graph.state.has(name));
  return [
    ...problems,
    ...stray.map((node) => `node ${node.id} (input): is declared neither as feed nor as state`),
    ...twice.map((name) => `"${name}" is both feed and state`),
  ];
}

function resultProblems(graph: Graph, made: ReadonlySet<Tensor>): readonly string[] {
  const missing = [...graph.outputs, ...graph.updates].filter(([, tensor]) => !made.has(tensor));
  const misfits = [...graph.updates].filter(([name, tensor]) => {
    const slot = graph.state.get(name);
    return slot === undefined || !sameForm(slot, tensor);
  });
  return [
    ...missing.map(([name]) => `result "${name}" is made by no node`),
    ...misfits.map(([name]) => `update "${name}" fits no state`),
  ];
}
