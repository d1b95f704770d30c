/**
 * Which nodes of a graph can be computed for many parameters at once, where these lie one behind the other. They are updates
 * of state and sums of all elements that differ only in their tensors, as an optimizer, a clipping by norm or a running
 * average makes them for each parameter. Knows no backend.
 */

import { type Graph, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { type Formula, formulaOf, isElementwise } from "./formula.js";

/** One parameter's share of a group. */
export interface Member {
  readonly formula: Formula;
  /** Of an update, the new state; of a sum, the sum of all elements. */
  readonly outputs: readonly Tensor[];
  /** For each output, the number of the formula's tensor that it replaces; -1: none. */
  readonly replaced: readonly number[];
}

/** Members whose formulas have the same code. */
export interface FlatGroup {
  readonly kind: "update" | "sum";
  readonly members: readonly [Member, ...Member[]];
}

/** A sum of many scalars, which a graph adds one after the other. */
export interface Total {
  readonly terms: readonly Tensor[];
  readonly output: Tensor;
}

export interface FlatGroups {
  readonly groups: readonly FlatGroup[];
  readonly totals: readonly Total[];
  /** All nodes that groups and totals compute. */
  readonly nodes: ReadonlySet<Node>;
}

/** A group of fewer sums, or a total of fewer terms, is not made. */
const fewestTogether = 4;

/** Buffers that a shader may bind on any device. */
export const mostBuffers = 8;

const isScalar = ({ shape }: Tensor): boolean => sizeOf(shape) === 1;
const only = ({ outputs }: Node): Tensor => outputs[0] as Tensor;

const isFullSum = (node: Node): boolean =>
  node.operation === "sum" && isScalar(only(node)) && !isScalar(node.inputs[0] as Tensor);

/** The nodes that read each node. */
function readersIn(graph: Graph): (node: Node) => readonly Node[] {
  const readers = new Map<Node, Node[]>();
  for (const reader of graph.nodes) {
    for (const { node } of reader.inputs) {
      const known = readers.get(node) ?? [];
      known.push(reader);
      readers.set(node, known);
    }
  }
  return (node) => readers.get(node) ?? [];
}

/** Sums of scalars by one `add` after the other, with the nodes that add. */
function totalsIn(graph: Graph, readersOf: (node: Node) => readonly Node[]): (Total & { readonly nodes: Node[] })[] {
  const results = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const isAdd = (node: Node): boolean => node.operation === "add" && isScalar(only(node));
  const isLink = (node: Node): boolean =>
    isAdd(node) && !results.has(only(node)) && readersOf(node).length === 1 && readersOf(node).every(isAdd);
  return graph.nodes
    .filter((node) => isAdd(node) && only(node).dtype === "float32" && !isLink(node))
    .map((last) => {
      const nodes = [last];
      const terms: Tensor[] = [];
      // Grows while it is walked.
      for (const node of nodes) {
        for (const input of node.inputs) {
          if (isLink(input.node)) nodes.push(input.node);
          else terms.push(input);
        }
      }
      return { terms: terms.toReversed(), output: only(last), nodes };
    })
    .filter(({ terms }) => terms.length >= fewestTogether);
}

/**
 * Sums of all elements that serve an update or a total and nothing else, each with the length of the longest chain of such
 * sums that ends in it. Their inputs are kept until the whole group is computed, so the sums of a loss are left out.
 */
function sumsForUpdates(
  graph: Graph,
  readersOf: (node: Node) => readonly Node[],
  isInTotal: (node: Node) => boolean,
): ReadonlyMap<Node, number> {
  const newState = new Set(graph.updates.values());
  const lastNodes = new Set<Node>();
  const readByUpdates = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    const readers = readersOf(node);
    if ((isFullSum(node) || isElementwise(node)) && readers.every((reader) => lastNodes.has(reader)))
      lastNodes.add(node);
    const isUpdate = isInTotal(node) || node.outputs.some((output) => newState.has(output));
    if (isUpdate || readers.some((reader) => readByUpdates.has(reader))) readByUpdates.add(node);
  }
  const isChosen = (node: Node): boolean => isFullSum(node) && lastNodes.has(node) && readByUpdates.has(node);
  const depth = new Map<Node, number>();
  for (const node of graph.nodes) {
    const before = Math.max(0, ...node.inputs.map((input) => depth.get(input.node) ?? 0));
    depth.set(node, before + (isChosen(node) ? 1 : 0));
  }
  return new Map([...depth].filter(([node]) => isChosen(node)));
}

/** New state, computed element by element, that may overwrite the old: neither of them is an output or new state of another slot. */
function changeableState(graph: Graph): Map<Tensor, Tensor> {
  const outputs = new Set(graph.outputs.values());
  const counts = new Map<Tensor, number>();
  for (const next of graph.updates.values()) counts.set(next, (counts.get(next) ?? 0) + 1);
  const found = new Map<Tensor, Tensor>();
  for (const [slot, next] of graph.updates) {
    const state = graph.state.get(slot) as Tensor;
    const isOwn = counts.get(next) === 1 && !counts.has(state) && !outputs.has(state) && !outputs.has(next);
    if (isOwn && isElementwise(next.node) && sizeOf(next.shape) === sizeOf(state.shape)) found.set(next, state);
  }
  return found;
}

/** Elementwise nodes that nothing reads but the formulas of new state and of sums. */
function insideNodes(
  graph: Graph,
  readersOf: (node: Node) => readonly Node[],
  isInTotal: (node: Node) => boolean,
  changed: ReadonlyMap<Tensor, Tensor>,
  sums: ReadonlyMap<Node, number>,
): ReadonlySet<Node> {
  const outside = new Set([
    ...graph.outputs.values(),
    ...[...graph.updates.values()].filter((next) => !changed.has(next)),
  ]);
  const inside = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    const readers = readersOf(node);
    const isRead = readers.length > 0 || node.outputs.some((output) => changed.has(output));
    const isFree = !isInTotal(node) && !node.outputs.some((output) => outside.has(output));
    if (isRead && isFree && isElementwise(node) && readers.every((reader) => inside.has(reader) || sums.has(reader))) {
      inside.add(node);
    }
  }
  return inside;
}

interface UpdateSet {
  readonly roots: Tensor[];
  /** Whether a formula reads state of another size that the same shader would change. */
  isUneven: boolean;
}

/** Sets of new state that one shader has to compute: results of one node, and those of which one reads the old state of another. */
function updateSets(changed: ReadonlyMap<Tensor, Tensor>, isInside: (node: Node) => boolean): UpdateSet[] {
  const sets = new Map<Node, UpdateSet>();
  const changer = new Map([...changed].map(([next, state]) => [state, next.node]));
  for (const next of changed.keys()) {
    const known = sets.get(next.node) ?? { roots: [], isUneven: false };
    known.roots.push(next);
    sets.set(next.node, known);
  }
  for (const root of changed.keys()) {
    const { tensors, scalars } = formulaOf([root], isInside);
    for (const leaf of [...tensors, ...scalars]) {
      const own = sets.get(root.node) as UpdateSet;
      const other = sets.get(changer.get(leaf) ?? root.node) as UpdateSet;
      if (own === other) continue;
      own.roots.push(...other.roots);
      own.isUneven ||= other.isUneven || sizeOf(leaf.shape) !== sizeOf(root.shape);
      for (const { node } of other.roots) sets.set(node, own);
    }
  }
  return [...new Set(sets.values())];
}

/** Members grouped by their code, and sums by the depth of their chain too. */
function grouped(kind: FlatGroup["kind"], members: readonly (Member & { readonly depth?: number })[]): FlatGroup[] {
  const groups = new Map<string, FlatGroup & { readonly members: [Member, ...Member[]] }>();
  for (const member of members) {
    const { formula, replaced, depth } = member;
    const key = [depth, formula.code, formula.results, replaced].join("\n");
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { kind, members: [member] });
  }
  return [...groups.values()];
}

/**
 * Buffers of a member's shader at the most: its tensors, results that lie elsewhere, where its chunks begin, scalars that all members share and
 * those of its own, and constants of its own.
 */
const countBuffers = ({ formula, replaced }: Pick<Member, "formula" | "replaced">): number =>
  formula.tensors.length +
  replaced.filter((at) => at < 0).length +
  1 +
  Math.min(2, formula.scalars.length) +
  Math.min(1, formula.constants.length);

export function flatGroupsOf(graph: Graph): FlatGroups {
  const readersOf = readersIn(graph);
  const totals = totalsIn(graph, readersOf);
  const inTotals = new Set(totals.flatMap(({ nodes }) => nodes));
  const isInTotal = (node: Node): boolean => inTotals.has(node);
  const order = new Map([...graph.updates.values()].map((next, i) => [next, i]));
  const changed = changeableState(graph);
  const sums = new Map(sumsForUpdates(graph, readersOf, isInTotal));
  for (;;) {
    const inside = insideNodes(graph, readersOf, isInTotal, changed, sums);
    const isInside = (node: Node): boolean => inside.has(node);
    const updates = updateSets(changed, isInside).map(({ roots, isUneven }) => {
      const outputs = roots.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
      const formula = formulaOf(outputs, isInside);
      const replaced = outputs.map((output) => formula.tensors.indexOf(changed.get(output) as Tensor));
      const isFit =
        !isUneven && countBuffers({ formula, replaced }) <= mostBuffers && outputs.every(({ node }) => isInside(node));
      return { outputs, formula, replaced, isFit };
    });
    const summed = grouped(
      "sum",
      [...sums].map(([node, depth]) => {
        return { outputs: node.outputs, formula: formulaOf(node.inputs, isInside), replaced: [-1], depth };
      }),
    );
    const unfitSums = summed.filter(
      ({ members }) => members.length < fewestTogether || members.some((member) => countBuffers(member) > mostBuffers),
    );
    const unfit = [...updates.filter(({ isFit }) => !isFit), ...unfitSums.flatMap(({ members }) => members)].flatMap(
      ({ outputs }) => outputs,
    );
    if (unfit.length === 0) {
      return {
        groups: [...grouped("update", updates), ...summed],
        totals,
        nodes: new Set([...inside, ...sums.keys(), ...inTotals]),
      };
    }
    // What these are computed from is no longer inside a formula, so the groups are formed again without them.
    for (const output of unfit) {
      changed.delete(output);
      sums.delete(output.node);
    }
  }
}
