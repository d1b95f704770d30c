/**
 * A graph as a StableHLO module of one function: `main(state..., feeds...) -> (updates..., outputs...)`. Where a state is replaced, its old
 * buffer is given away for the new value.
 */

import type { Precision } from "../../../blocks/index.js";
import {
  type Attributes,
  type Graph,
  invariant,
  type OperationName,
  type Tensor,
  type Values,
} from "../../../graph/index.js";
import { type Cut, cutOfState, cutsOfFeeds, type Division, type Slot, undivided } from "./division.js";
import { type Lower, lowerings, type Wanted } from "./lowering.js";
import { createEmitter, type Emitter, typeOf, type Value } from "./stablehlo.js";

export interface Program {
  readonly text: string;
  /** In the order of the arguments: states first. Feeds are those of the graph, and what `alwaysFed` holds of them. */
  readonly state: readonly Slot[];
  readonly feeds: readonly Slot[];
  /** In the order of the results. */
  readonly updates: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** How each argument lies on the devices, in order. A state is replaced by one that lies like it; outputs are whole. */
  readonly cuts: readonly Cut[];
}

/** What is fed besides a graph's own feeds, to a program that computes something again. */
const one: Slot = { name: "#one", shape: [], dtype: "float32" };
export const alwaysFed: Values = { [one.name]: Float32Array.of(1) };

/** A tensor of the graph, as a key. */
const keyOf = ({ node, index }: Tensor): string => `${node.id}.${index}`;

/** @param division the devices that compute it together; if absent, one does. */
export function programOf(graph: Graph, precision: Precision = "float32", division: Division = undivided): Program {
  const values = new Map<string, Value>();
  const slotsOf = (tensors: ReadonlyMap<string, Tensor>): readonly Slot[] =>
    [...tensors].map(([name, { shape, dtype }]) => ({ name, shape: shape as readonly number[], dtype }));
  const hasBarriers = graph.nodes.some(({ operation }) => operation === "barrier");
  const state = slotsOf(graph.state);
  const feeds = [...slotsOf(graph.feeds), ...(hasBarriers ? [one] : [])];
  const e = createEmitter(precision, { ...one, name: `%arg${graph.state.size + graph.feeds.size}` });
  const [updates, outputs] = [slotsOf(graph.updates), slotsOf(graph.outputs)];
  for (const [i, [, tensor]] of [...graph.state, ...graph.feeds].entries()) {
    values.set(keyOf(tensor), { name: `%arg${i}`, shape: tensor.shape as readonly number[], dtype: tensor.dtype });
  }
  lowerNodes(e, graph, values);
  const feedCuts = cutsOfFeeds(feeds, division);
  const cuts = [
    ...state.map((slot) => cutOfState(slot, division)),
    ...feeds.map(({ name }) => feedCuts.get(name) ?? null),
  ];
  const placement = (slot: Slot, cut: Cut): readonly string[] => (division.devices === 1 ? [] : [sharding(slot, cut)]);
  const parameters = [...state, ...feeds].map((slot, i) => {
    const at = i < state.length ? updates.findIndex(({ name }) => name === slot.name) : -1;
    const attributes = [...(at < 0 ? [] : [`tf.aliasing_output = ${at} : i32`]), ...placement(slot, cuts[i] as Cut)];
    return `%arg${i}: ${typeOf(slot)}${attributesOf(attributes)}`;
  });
  const results = [...graph.updates.values(), ...graph.outputs.values()].map(
    (tensor) => values.get(keyOf(tensor)) as Value,
  );
  const types = results.map(typeOf).join(", ");
  const resultTypes = [
    ...updates.map((slot) => `${typeOf(slot)}${attributesOf(placement(slot, cutOfState(slot, division)))}`),
    ...outputs.map((slot) => `${typeOf(slot)}${attributesOf(placement(slot, null))}`),
  ].join(", ");
  const names = results.map(({ name }) => name).join(", ");
  const text =
    `module @step {\n${division.devices === 1 ? "" : `  sdy.mesh @mesh = <["x"=${division.devices}]>\n`}` +
    `  func.func public @main(${parameters.join(", ")}) -> (${resultTypes}) {\n${e.text()}` +
    `    return ${names}${results.length > 0 ? ` : ${types}` : ""}\n  }\n}\n`;
  return { text, state, feeds, updates, outputs, cuts };
}

/**
 * Adds to `values` what each node gives, in the order of the graph.
 *
 * On processors XLA removes its own barriers. It then merges what a layer computes again for its gradient with the first computation, or moves it there.
 * So each repeated computation is made to depend on the value before it.
 */
function lowerNodes(e: Emitter, graph: Graph, values: Map<string, Value>): void {
  const read = new Set(
    [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values(), ...graph.updates.values()].map(keyOf),
  );
  let latest: Value | undefined;
  for (const node of graph.nodes) {
    if (node.operation === "input") continue;
    if (node.operation === "constant") {
      const { data, shape, dtype } = node.attributes as Attributes["constant"];
      values.set(`${node.id}.0`, e.constant(data, shape, dtype));
      continue;
    }
    const inputs = node.inputs.map((tensor) => values.get(keyOf(tensor)) as Value);
    if (node.operation === "barrier") {
      const [x] = inputs as [Value];
      values.set(`${node.id}.0`, e.again(x, latest ?? x));
      continue;
    }
    const lower = lowerings[node.operation] as Lower<OperationName>;
    const wanted = node.outputs.map((tensor) => ({
      shape: tensor.shape as readonly number[],
      isRead: read.has(keyOf(tensor)),
    }));
    for (const [i, value] of lower(e, inputs, node.attributes as never, wanted).entries()) {
      if (!value) continue;
      const { shape } = wanted[i] as Wanted;
      invariant(
        String(value.shape) === String(shape),
        `${node.operation} was lowered to ${typeOf(value)} in the place of [${shape.join(", ")}]`,
      );
      values.set(`${node.id}.${i}`, value);
      latest = value;
    }
  }
}

const attributesOf = (attributes: readonly string[]): string =>
  attributes.length === 0 ? "" : ` {${attributes.join(", ")}}`;

/** Over a mesh of one axis, as Shardy has it. */
const sharding = ({ shape }: Slot, cut: Cut): string =>
  `sdy.sharding = #sdy.sharding<@mesh, [${shape.map((_, axis) => (axis === cut ? '{"x"}' : "{}")).join(", ")}]>`;
