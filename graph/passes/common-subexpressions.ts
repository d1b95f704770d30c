/** Computes each value once. */

import type { Node } from "../graph.js";
import type { OperationName } from "../operations.js";
import { isA, rewrite } from "../rewrite.js";
import type { TypedArray } from "../shape.js";
import type { Pass } from "./pass.js";

export const commonSubexpressions: Pass = {
  name: "common-subexpressions",
  summary: "Nodes of the same operation, inputs and attributes become one; constants are compared by content.",
  run: (graph) => {
    const seen = new Map<string, Node[]>();
    return rewrite(graph, (node) => {
      if (node.operation === "input") return undefined;
      const key = keyOf(node);
      const candidates = seen.get(key) ?? [];
      const twin = candidates.find((candidate) => sameContent(candidate, node));
      if (twin !== undefined) return twin.outputs;
      seen.set(key, [...candidates, node]);
      return undefined;
    });
  },
};

const commutative: ReadonlySet<OperationName> = new Set(["add", "mul", "maximum", "minimum", "equal"]);

/** Equal for nodes of equal value; of constants, it holds a hash of the content only. */
function keyOf(node: Node): string {
  if (isA(node, "constant")) {
    const { data, shape, dtype } = node.attributes;
    return `${dtype} ${shape.join()} ${data.length} ${hash(bytes(data))}`;
  }
  const inputs = node.inputs.map((input) => `${input.node.id}.${input.index}`);
  if (commutative.has(node.operation)) inputs.sort();
  return `${node.operation} ${inputs.join()} ${JSON.stringify(node.attributes)}`;
}

function sameContent(a: Node, b: Node): boolean {
  if (!isA(a, "constant") || !isA(b, "constant")) return true;
  const other = bytes(b.attributes.data);
  return bytes(a.attributes.data).every((byte, i) => byte === other[i]);
}

const bytes = (data: TypedArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** FNV-1a, 32 bits. */
function hash(content: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of content) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
