/** A graph with its weights as one ONNX model that any tool runs: only standard operators, and names for people. */

import { type Graph, invariant, type Tensor, type Values } from "../../../graph/index.js";
import { OPSET } from "./fields.js";
import { createModel, type FileOptions, type ModelFile } from "./model.js";
import { lowerNodes, tensorsRead } from "./plan.js";

/** A batch that is known only when the model runs is this many samples in a graph: a prime greater than any other size. */
export const anyBatch = 1_000_003;

/** Version of the operators that standalone models consist of. */
export const opset: number = OPSET;

export interface StandaloneOptions extends FileOptions {
  /** Of the graph's state, and of feeds that are to be part of the model. */
  readonly values: Values;
  /** What inputs and outputs are, by name. */
  readonly docs: Readonly<Record<string, string>>;
}

/** @param graph where its batch is open, traced for `anyBatch` samples; it then has a feed, whose first axis is the batch. */
export function standaloneModel(graph: Graph, options: StandaloneOptions): ModelFile {
  const { values, docs } = options;
  const [input = ""] = graph.feeds.keys();
  const m = createModel({ standard: true, open: { standIn: anyBatch, name: "batch", input } });
  const used = tensorsRead(graph);
  const names = new Map<Tensor, string>();
  const free = [...graph.feeds].filter(([name]) => values[name] === undefined);
  const taken = new Set([...free.map(([name]) => name), ...graph.outputs.keys()]);
  for (const [name, tensor] of free) {
    names.set(tensor, name);
    m.input(name, tensor.dtype, tensor.shape, docs[name]);
  }
  for (const [name, tensor] of [...graph.state, ...graph.feeds]) {
    if (names.has(tensor) || !used.has(tensor)) continue;
    const value = values[name];
    invariant(value !== undefined, `no value for "${name}"`);
    const own = taken.has(name) ? `weights/${name}` : name;
    names.set(tensor, own);
    m.weight(own, tensor.dtype, value, tensor.shape);
  }
  lowerNodes(graph, m, names);
  m.within("");
  for (const [name, tensor] of graph.outputs) {
    m.named(names.get(tensor) as string, name);
    m.output(name, tensor.dtype, tensor.shape, docs[name]);
  }
  return m.file(options);
}
