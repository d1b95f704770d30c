/**
 * Which nodes of a graph can be computed for many parameters at once, where these lie one behind the other: updates of
 * state and sums of all elements that differ in nothing but their tensors, as an optimizer, a clipping by norm or a
 * running average makes them for each parameter. Knows no backend.
 */

import { type Graph, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { type Formula, formulaOf, isElementwise } from "./formula.js";

/** One parameter's share of a group. */
interface Member {
  readonly formula: Formula;
  /** What becomes of the formula's results: new state, or their sum. */
  readonly outputs: readonly Tensor[];
  /** Of new state, which of the formula's tensors is the old one; -1: none. */
  readonly replaced: readonly number[];
}

/** Members whose formulas have the same code. */
export interface FlatGroup {
  readonly kind: "update" | "sum";
  readonly members: readonly Member[];
}

/** A sum of many numbers, which a graph adds one after the other. */
export interface Total {
  readonly terms: readonly Tensor[];
  readonly output: Tensor;
}

export interface FlatGroups {
  readonly groups: readonly FlatGroup[];
  readonly totals: readonly Total[];
  /** Nodes that need not be computed otherwise. */
  readonly nodes: ReadonlySet<Node>;
}

/** Fewer sums, or terms, stay as they are. */
const fewest = 4;

/** A shader binds eight buffers; three are tables and scalars. */
const mostTensors = 5;

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

/** Sums of scalars by one `add` after the other, with the nodes that each is made of. */
function totalsIn(graph: Graph, readersOf: (node: Node) => readonly Node[]): (Total & { readonly nodes: Node[] })[] {
  const told = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const isAdd = (node: Node): boolean => node.operation === "add" && isScalar(only(node));
  const isLink = (node: Node): boolean =>
    isAdd(node) && !told.has(only(node)) && readersOf(node).length === 1 && readersOf(node).every(isAdd);
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
    .filter(({ terms }) => terms.length >= fewest);
}

/**
 * Sums from which new state or a total follows, and nothing but numbers beside it; with how many such sums each follows
 * from. What is summed is kept until then, so sums of a loss, from which no state follows, are none of them.
 */
function lateSums(
  graph: Graph,
  readersOf: (node: Node) => readonly Node[],
  isApart: (node: Node) => boolean,
): ReadonlyMap<Node, number> {
  const moved = new Set(graph.updates.values());
  const late = new Set<Node>();
  const leading = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    const readers = readersOf(node);
    if ((isFullSum(node) || isElementwise(node)) && readers.every((reader) => late.has(reader))) late.add(node);
    const isFirst = isApart(node) || node.outputs.some((output) => moved.has(output));
    if (isFirst || readers.some((reader) => leading.has(reader))) leading.add(node);
  }
  const isOne = (node: Node): boolean => isFullSum(node) && late.has(node) && leading.has(node);
  const depth = new Map<Node, number>();
  for (const node of graph.nodes) {
    const before = Math.max(0, ...node.inputs.map((input) => depth.get(input.node) ?? 0));
    depth.set(node, before + (isOne(node) ? 1 : 0));
  }
  return new Map([...depth].filter(([node]) => isOne(node)));
}

/** State that may be written where it lies, by its new value: elementwise, and neither the old nor the new goes elsewhere. */
function changeableState(graph: Graph): Map<Tensor, Tensor> {
  const told = new Set(graph.outputs.values());
  const counts = new Map<Tensor, number>();
  for (const next of graph.updates.values()) counts.set(next, (counts.get(next) ?? 0) + 1);
  const found = new Map<Tensor, Tensor>();
  for (const [slot, next] of graph.updates) {
    const state = graph.state.get(slot) as Tensor;
    const isOwn = counts.get(next) === 1 && !counts.has(state) && !told.has(state) && !told.has(next);
    if (isOwn && isElementwise(next.node) && sizeOf(next.shape) === sizeOf(state.shape)) found.set(next, state);
  }
  return found;
}

/** Elementwise nodes that nothing reads but formulas: of new state, and of sums. */
function insideNodes(
  graph: Graph,
  readersOf: (node: Node) => readonly Node[],
  isApart: (node: Node) => boolean,
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
    const isFree = !isApart(node) && !node.outputs.some((output) => outside.has(output));
    if (isRead && isFree && isElementwise(node) && readers.every((reader) => inside.has(reader) || sums.has(reader))) {
      inside.add(node);
    }
  }
  return inside;
}

interface Together {
  readonly roots: Tensor[];
  /** Whether a formula would need elements of tensors of another size, which others change beside it. */
  isUneven: boolean;
}

/** New state that has to be computed at once: of one node, and where one formula reads what another changes. */
function changedTogether(changed: ReadonlyMap<Tensor, Tensor>, isInside: (node: Node) => boolean): Together[] {
  const sets = new Map<Node, Together>();
  const changer = new Map([...changed].map(([next, state]) => [state, next.node]));
  for (const next of changed.keys()) {
    const known = sets.get(next.node) ?? { roots: [], isUneven: false };
    known.roots.push(next);
    sets.set(next.node, known);
  }
  for (const root of changed.keys()) {
    const { tensors, scalars } = formulaOf([root], isInside);
    for (const leaf of [...tensors, ...scalars]) {
      const own = sets.get(root.node) as Together;
      const other = sets.get(changer.get(leaf) ?? root.node) as Together;
      if (own === other) continue;
      own.roots.push(...other.roots);
      own.isUneven ||= other.isUneven || sizeOf(leaf.shape) !== sizeOf(root.shape);
      for (const { node } of other.roots) sets.set(node, own);
    }
  }
  return [...new Set(sets.values())];
}

/** Members by what they compute, and by what must be computed before. */
function grouped(kind: FlatGroup["kind"], members: readonly (Member & { readonly depth?: number })[]): FlatGroup[] {
  const groups = new Map<string, FlatGroup & { readonly members: Member[] }>();
  for (const member of members) {
    const { formula, replaced, depth } = member;
    const key = [depth, formula.code, formula.results, replaced].join("\n");
    const group = groups.get(key) ?? { kind, members: [] };
    group.members.push(member);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Buffers that elements are read from and written to. */
const buffersOf = ({ formula, replaced }: Pick<Member, "formula" | "replaced">): number =>
  formula.tensors.length + replaced.filter((at) => at < 0).length;

export function flatGroupsOf(graph: Graph): FlatGroups {
  const readersOf = readersIn(graph);
  const totals = totalsIn(graph, readersOf);
  const apart = new Set(totals.flatMap(({ nodes }) => nodes));
  const isApart = (node: Node): boolean => apart.has(node);
  const order = new Map([...graph.updates.values()].map((next, i) => [next, i]));
  const changed = changeableState(graph);
  const sums = new Map(lateSums(graph, readersOf, isApart));
  for (;;) {
    const inside = insideNodes(graph, readersOf, isApart, changed, sums);
    const isInside = (node: Node): boolean => inside.has(node);
    const updates = changedTogether(changed, isInside).map(({ roots, isUneven }) => {
      const outputs = roots.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
      const formula = formulaOf(outputs, isInside);
      const replaced = outputs.map((output) => formula.tensors.indexOf(changed.get(output) as Tensor));
      const isFit =
        !isUneven && buffersOf({ formula, replaced }) <= mostTensors && outputs.every(({ node }) => isInside(node));
      return { outputs, formula, replaced, isFit };
    });
    const summed = grouped(
      "sum",
      [...sums].map(([node, depth]) => {
        return { outputs: node.outputs, formula: formulaOf(node.inputs, isInside), replaced: [-1], depth };
      }),
    );
    const unfitSums = summed.filter(
      ({ members }) => members.length < fewest || members.some((member) => buffersOf(member) > mostTensors),
    );
    const unfit = [...updates.filter(({ isFit }) => !isFit), ...unfitSums.flatMap(({ members }) => members)].flatMap(
      ({ outputs }) => outputs,
    );
    if (unfit.length === 0) {
      return {
        groups: [...grouped("update", updates), ...summed],
        totals,
        nodes: new Set([...inside, ...sums.keys(), ...apart]),
      };
    }
    // What is computed from these is no longer inside a formula, so that all is looked at again.
    for (const output of unfit) {
      changed.delete(output);
      sums.delete(output.node);
    }
  }
}
