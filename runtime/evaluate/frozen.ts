/** A model with fixed weights, opened on an executor to compute one thing. */

import { type ModelProgram, type Weights, weightsOf } from "../../blocks/index.js";
import {
  type Builder,
  createBuilder,
  type Graph,
  simplify,
  type Tensor,
  type TypedArray,
  type Values,
} from "../../graph/index.js";
import type { Executor } from "../executors/executor.js";
import { feedsFor } from "../train/inputs.js";
import type { WeightValues } from "../train/weights.js";

export interface Trained {
  readonly program: ModelProgram;
  /** By name. */
  readonly weights: WeightValues;
}

export interface Frozen {
  /** Shapes of the outputs by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Feeds that the graph does not read are left aside. */
  readonly run: (feeds: Values) => Promise<Record<string, TypedArray>>;
  readonly close: () => Promise<void>;
}

/** What is computed of a model: -> tensors by name. */
export type Outputs = (g: Builder, w: Weights<ModelProgram["parameters"]>) => Readonly<Record<string, Tensor>>;

/** Traces `outputs` for batches of one size, simplified, with the feeds that are read. */
export function frozenGraph({ parameters }: Pick<ModelProgram, "parameters">, batch: number, outputs: Outputs): Graph {
  const g = createBuilder({ batch });
  return withoutIdleFeeds(simplify(g.finish({ outputs: outputs(g, weightsOf(g, parameters)) })));
}

/** Traces `outputs` for batches of one size and opens a session with the model's weights. */
export async function openFrozen(
  { program, weights }: Trained,
  executor: Executor,
  batch: number,
  outputs: Outputs,
): Promise<Frozen> {
  const graph = frozenGraph(program, batch, outputs);
  const slots = [...graph.state].map(([name, { shape }]) => ({ name, shape, dtype: "float32" as const }));
  const session = await executor.open(slots, weights);
  const runner = await session.load(graph);
  return {
    shapes: Object.fromEntries([...graph.outputs].map(([name, { shape }]) => [name, shape])),
    run: (feeds) => runner(feedsFor(graph, feeds)),
    close: () => session.close(),
  };
}

/** Leaves out the feeds that nothing reads: a prediction of pixels needs no other target's field. */
function withoutIdleFeeds(graph: Graph): Graph {
  const used = [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()];
  const read = new Set(used.map(({ node }) => node));
  const idle = new Set([...graph.feeds.values()].map(({ node }) => node).filter((node) => !read.has(node)));
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => !idle.has(node)),
    feeds: new Map([...graph.feeds].filter(([, { node }]) => !idle.has(node))),
  };
}
