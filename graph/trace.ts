/**
 * The builder: records what model code calls, checks shapes at once, computes nothing. A tensor is one object a node
 * output, so tensors may be keys of maps; node ids count up in the order of recording.
 */

import type { Builder } from "./builder.js";
import { showForm } from "./form.js";
import type { Graph, Node } from "./graph.js";
import { invariant } from "./invariant.js";
import { operations, sizes } from "./methods.js";
import type { Attributes, OperationName } from "./operations.js";
import { type Dims, type DType, sameShape, type Tensor } from "./shape.js";
import { inferForms } from "./shape-rules.js";

/**
 * An empty trace.
 * @param options.batch what "B" stands for in shapes.
 * @param options.training whether layers do what they do in training; if absent, they do not.
 * @returns a builder whose methods throw `ShapeError` where shapes do not fit, and `InvariantError` where a name is
 * declared twice, or a result is not what was declared; itself an `InvariantError` without a batch.
 */
export function createBuilder(options: { readonly batch: number; readonly training?: boolean }): Builder {
  invariant(options?.batch >= 1, 'createBuilder is told what "B" stands for: createBuilder({ batch: 8 })');
  const nodes: Node[] = [];
  const feeds = new Map<string, Tensor>();
  const state = new Map<string, Tensor>();
  const moved = new Map<string, Tensor>();
  const { current, scope } = createScopes();

  const record = <O extends OperationName>(
    operation: O,
    inputs: readonly Tensor[],
    attributes: Attributes[O],
  ): readonly Tensor[] => {
    for (const input of inputs) {
      invariant(nodes[input.node.id] === input.node, `${operation}: an input belongs to another builder`);
    }
    const node = makeNode(nodes.length, operation, inputs, attributes, current());
    nodes.push(node);
    return node.outputs;
  };

  const declare = (into: Map<string, Tensor>, name: string, shape: Dims, dtype: DType): Tensor => {
    invariant(!feeds.has(name) && !state.has(name), `"${name}" is declared twice`);
    const [tensor] = record("input", [], { name, shape: sizes(shape, options.batch), dtype }) as [Tensor];
    into.set(name, tensor);
    return tensor;
  };

  return {
    batch: options.batch,
    training: options.training ?? false,
    input: <S extends Dims, T extends DType>(name: string, shape: S, dtype?: T) =>
      declare(feeds, name, shape, dtype ?? "float32") as Tensor<S, T>,
    state: <S extends Dims>(name: string, shape: S) => declare(state, name, shape, "float32") as Tensor<S, "float32">,
    ...operations(record, options.batch),
    scope,
    move(slot, next) {
      const [name] = [...state].find(([, tensor]) => tensor === slot) ?? [];
      invariant(name !== undefined, "only what was declared as state is moved");
      moved.set(name, next);
    },
    moved<S extends Dims>(slot: Tensor<S, "float32">) {
      const [name] = [...state].find(([, tensor]) => tensor === slot) ?? [];
      return (name === undefined ? slot : (moved.get(name) ?? slot)) as Tensor<S, "float32">;
    },
    finish: (results) =>
      finish(nodes, feeds, state, { ...results, updates: { ...Object.fromEntries(moved), ...results.updates } }),
  };
}

/** The path of the scope in which nodes are being made, and how one is entered and left. */
function createScopes(): { readonly current: () => string; readonly scope: Builder["scope"] } {
  const paths = [""];
  const counts = new Map<string, number>();
  const current = (): string => paths.at(-1) ?? "";
  return {
    current,
    scope(name, body, counted) {
      const outer = current();
      const path = outer === "" || name === "" ? outer + name : `${outer}/${name}`;
      const count = (counts.get(path) ?? 0) + 1;
      if (counted) counts.set(path, count);
      paths.push(counted ? `${path}#${count}` : path);
      try {
        return body();
      } finally {
        paths.pop();
      }
    },
  };
}

/** A node with its outputs, which point back to it. */
export function makeNode<O extends OperationName>(
  id: number,
  operation: O,
  inputs: readonly Tensor[],
  attributes: Attributes[O],
  scope: string,
): Node<O> {
  const outputs: Tensor[] = [];
  const node: Node<O> = { id, operation, inputs, attributes, outputs, scope };
  for (const [index, { shape, dtype }] of inferForms(operation, inputs, attributes).entries()) {
    outputs.push({ node, index, shape, dtype });
  }
  return node;
}

/** Nodes that the roots need, themselves included. */
export function reachable(roots: Iterable<Tensor>): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const open = [...roots].map((tensor) => tensor.node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) open.push(input.node);
  }
  return seen;
}

function finish(
  nodes: readonly Node[],
  feeds: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
  results: Parameters<Builder["finish"]>[0],
): Graph {
  const outputs = new Map(Object.entries(results.outputs));
  const updates = new Map(Object.entries(results.updates ?? {}));
  for (const [name, tensor] of [...outputs, ...updates]) {
    invariant(nodes[tensor.node.id] === tensor.node, `result "${name}" belongs to another builder`);
  }
  for (const [name, tensor] of updates) {
    const slot = state.get(name);
    invariant(slot, `update of "${name}", which is not declared as state`);
    const fits = sameShape(slot.shape, tensor.shape) && slot.dtype === tensor.dtype;
    invariant(fits, `update of "${name}" is ${showForm(tensor)}, the state is ${showForm(slot)}`);
  }
  const needed = reachable([...feeds.values(), ...state.values(), ...outputs.values(), ...updates.values()]);
  return {
    nodes: nodes.filter((node) => needed.has(node)),
    feeds: new Map(feeds),
    state: new Map(state),
    outputs,
    updates,
  };
}
