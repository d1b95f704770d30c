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

/** The first tensor of a step that is not finite. */
export interface BadTensor {
  /** `feed`: it came from the data; `state`: it was kept from step to step; `computed`: an operation made it. */
  readonly kind: "feed" | "state" | "computed";
  /** Of a feed or a state its name; of what was computed the operation, what it reads by name, its scope and its shape. */
  readonly what: string;
  /** `3 of 64 values are not finite` */
  readonly share: string;
  /** Of what was computed: the largest absolute value that the operation read; null where none is known. */
  readonly reach: number | null;
  /** Weights that the operation reads, or other operations of the same layer: they say where in the model it is. */
  readonly weights: readonly string[];
}

/**
 * Runs a step's graph on the session's state without updating it, in growing parts, and reads everything it computes.
 * Gives the first tensor that is not finite, or null.
 */
export async function findBadTensor(session: Session, graph: Graph, feeds: Values): Promise<BadTensor | null> {
  const given = firstBadGiven("feed", feeds) ?? firstBadGiven("state", await session.read([...graph.state.keys()]));
  if (given !== null) return given;
  for (const { end, tensors } of portions(graph)) {
    const part: Graph = {
      ...graph,
      nodes: graph.nodes.slice(0, end),
      outputs: new Map(tensors.map((tensor, i) => [String(i), tensor])),
      updates: new Map(),
    };
    const values = await (await session.load(part))(feeds);
    const known = new Map(tensors.map((tensor, i) => [tensor, values[String(i)] as Float32Array]));
    for (const [tensor, array] of known) {
      const bad = countNotFinite(array);
      if (bad === 0) continue;
      const what = `${describe(tensor.node)} ${showShape(tensor.shape)}`;
      const reach = await reachOf(session, tensor.node, feeds, known);
      return {
        kind: "computed",
        what,
        share: share(bad, array.length),
        reach,
        weights: weightsNear(graph, tensor.node),
      };
    }
  }
  return null;
}

function firstBadGiven(kind: "feed" | "state", values: Values): BadTensor | null {
  for (const [name, array] of Object.entries(values)) {
    const bad = countNotFinite(array);
    if (bad === 0) continue;
    return { kind, what: name, share: share(bad, array.length), reach: null, weights: kind === "state" ? [name] : [] };
  }
  return null;
}

/** The largest absolute value among the floats that a node reads, of those that are known. */
async function reachOf(
  session: Session,
  { inputs }: Node,
  feeds: Values,
  known: ReadonlyMap<Tensor, Float32Array>,
): Promise<number | null> {
  const read = inputs.filter(({ dtype }) => dtype === "float32");
  const names = namesOf(read.map(({ node }) => node));
  const kept = names.filter((name) => !Object.hasOwn(feeds, name));
  const all = [
    ...read.flatMap((tensor) => known.get(tensor) ?? []),
    ...names.flatMap((name) => feeds[name] ?? []),
    ...(kept.length === 0 ? [] : Object.values(await session.read(kept))),
  ];
  if (all.length === 0) return null;
  let reach = 0;
  for (const values of all) for (const value of values) reach = Math.max(reach, Math.abs(value));
  return reach;
}

/** Names of the weights and feeds among some nodes. */
const namesOf = (nodes: readonly Node[]): readonly string[] =>
  nodes.flatMap((node) => (node.operation === "input" ? [(node as Node<"input">).attributes.name] : []));

/** `linear(head.weight, head.bias) in decoder`: the operation, the weights and feeds it reads itself, its scope. */
function describe({ scope, operation, inputs }: Node): string {
  const names = namesOf(inputs.map(({ node }) => node));
  return `${operation}${names.length === 0 ? "" : `(${names.join(", ")})`}${scope === "" ? "" : ` in ${scope}`}`;
}

/** Weights that a node reads; if there are none, those that its layer reads, or the layer whose gradient it is of. */
function weightsNear(graph: Graph, node: Node): readonly string[] {
  const weightsIn = (nodes: readonly Node[]): readonly string[] => [
    ...new Set(
      namesOf(nodes.flatMap(({ inputs }) => inputs.map((input) => input.node))).filter((name) => graph.state.has(name)),
    ),
  ];
  const own = weightsIn([node]);
  const layer = layerOf(node.scope);
  return own.length > 0 || layer === "" ? own : weightsIn(graph.nodes.filter(({ scope }) => layerOf(scope) === layer));
}

/** `gradient/transformerBlock#5/linear#2` and `transformerBlock#5` lie in one layer. */
const layerOf = (scope: string): string => {
  const [first = "", second = ""] = scope.split("/");
  return first === "gradient" ? second : first;
};

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
