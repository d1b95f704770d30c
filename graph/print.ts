/** A graph as text, one node a line, to be read by people and compared between passes. */

import { showForm } from "./form.js";
import type { Graph, Node } from "./graph.js";
import { isA } from "./rewrite.js";
import type { Tensor, TypedArray } from "./shape.js";

/**
 * ```
 * %0 = input "x" : float32 [2, 4]
 * %3 = linear %0 %1 %2 : float32 [2, 8]  # encode
 * output "y" = %3
 * ```
 * A node's second output is `%3.1`.
 */
export function printGraph(graph: Graph): string {
  const results = (word: string, tensors: ReadonlyMap<string, Tensor>): string[] =>
    [...tensors].map(([name, tensor]) => `${word} ${JSON.stringify(name)} = ${nameOf(tensor)}`);
  const lines = [
    ...graph.nodes.map((node) => printNode(node, graph)),
    ...results("output", graph.outputs),
    ...results("update", graph.updates),
  ];
  return `${lines.join("\n")}\n`;
}

const nameOf = ({ node, index }: Tensor): string => (index === 0 ? `%${node.id}` : `%${node.id}.${index}`);

function printNode(node: Node, graph: Graph): string {
  const outputs = node.outputs.map(nameOf).join(" ");
  const operation = isA(node, "input") && graph.state.has(node.attributes.name) ? "state" : node.operation;
  const parts = [operation, ...node.inputs.map(nameOf), printAttributes(node)].filter((part) => part !== "");
  const scope = node.scope === "" ? "" : `  # ${node.scope}`;
  return `${outputs} = ${parts.join(" ")} : ${node.outputs.map(showForm).join(", ")}${scope}`;
}

/** Attributes that the forms do not say already. */
function printAttributes(node: Node): string {
  if (isA(node, "input")) return JSON.stringify(node.attributes.name);
  if (isA(node, "constant")) return printData(node.attributes.data);
  const entries = Object.entries(node.attributes).filter(([name]) => name !== "shape" && name !== "dtype");
  if (entries.length === 0) return "";
  return `{ ${entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`;
}

/** The first few elements. */
function printData(data: TypedArray): string {
  const shown = Array.from(data.subarray(0, 6), (value) => `${Number(value.toPrecision(6))}`);
  const rest = data.length > shown.length ? [`... ${data.length} values`] : [];
  return data.length === 1 ? `${shown[0]}` : `[${[...shown, ...rest].join(", ")}]`;
}
