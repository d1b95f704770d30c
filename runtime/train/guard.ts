/** Finds the first tensor of a step that is not finite, so that a failed run says where it failed. */

import type { Graph, Node, Tensor, Values } from "../../graph/index.js";
import { showShape, sizeOf } from "../../graph/index.js";
import type { Session } from "../executors/executor.js";

/** Numbers read back at once while searching. */
const readAtOnce = 2 ** 26;

/** How many values are NaN or infinite. */
export function countNotFinite(values: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count += 1;
  return count;
}

/** In words: what among these named arrays is not finite, the first of them; null when all are. */
export function firstBadValues(values: Values): string | null {
  for (const [name, array] of Object.entries(values)) {
    const bad = countNotFinite(array);
    if (bad > 0) return `${name}: ${share(bad, array.length)}`;
  }
  return null;
}

const share = (bad: number, all: number): string =>
  `${bad.toLocaleString("en-US")} of ${all.toLocaleString("en-US")} values are not finite`;

/**
 * Runs a step's graph on the session's state without updating it, in growing parts, and reads everything it computes.
 * Gives the first tensor that is not finite in words (operation, scope, shape, how many values), or null.
 */
export async function findBadTensor(session: Session, graph: Graph, feeds: Values): Promise<string | null> {
  const given = firstBadValues(feeds) ?? firstBadValues(await session.read([...graph.state.keys()]));
  if (given !== null) return given;
  for (const { end, tensors } of portions(graph)) {
    const part: Graph = {
      ...graph,
      nodes: graph.nodes.slice(0, end),
      outputs: new Map(tensors.map((tensor, i) => [String(i), tensor])),
      updates: new Map(),
    };
    const values = await (await session.load(part))(feeds);
    for (const [i, tensor] of tensors.entries()) {
      const array = values[String(i)] as Float32Array;
      const bad = countNotFinite(array);
      if (bad > 0) return `${describe(tensor.node)} ${showShape(tensor.shape)}: ${share(bad, array.length)}`;
    }
  }
  return null;
}

/** `linear(head.weight, head.bias) in decoder`: the operation, the weights and feeds it reads itself, its scope. */
function describe({ scope, operation, inputs }: Node): string {
  const names = inputs.flatMap(({ node }) =>
    node.operation === "input" ? [(node as Node<"input">).attributes.name] : [],
  );
  return `${operation}${names.length === 0 ? "" : `(${names.join(", ")})`}${scope === "" ? "" : ` in ${scope}`}`;
}

/** The computed float tensors that something uses, in order, cut so that each portion can be read at once. */
function portions(graph: Graph): readonly { readonly end: number; readonly tensors: readonly Tensor[] }[] {
  const used = new Set([
    ...graph.nodes.flatMap((node) => node.inputs),
    ...graph.outputs.values(),
    ...graph.updates.values(),
  ]);
  const result: { end: number; tensors: Tensor[] }[] = [];
  let size = Infinity;
  for (const [i, node] of graph.nodes.entries()) {
    if (node.operation === "input" || node.operation === "constant") continue;
    const tensors = node.outputs.filter((output) => output.dtype === "float32" && used.has(output));
    const added = tensors.reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
    if (added === 0) continue;
    if (size + added > readAtOnce) {
      result.push({ end: 0, tensors: [] });
      size = 0;
    }
    const last = result.at(-1) as { end: number; tensors: Tensor[] };
    last.end = i + 1;
    last.tensors.push(...tensors);
    size += added;
  }
  return result;
}
