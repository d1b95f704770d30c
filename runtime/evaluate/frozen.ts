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

/** Traces `outputs` for batches of one size and opens a session with the model's weights. */
export async function openFrozen(
  { program, weights }: Trained,
  executor: Executor,
  batch: number,
  outputs: (g: Builder, w: Weights<ModelProgram["parameters"]>) => Readonly<Record<string, Tensor>>,
): Promise<Frozen> {
  const g = createBuilder({ batch });
  const traced = outputs(g, weightsOf(g, program.parameters));
  const graph = withoutIdleFeeds(simplify(g.finish({ outputs: traced })));
  const slots = [...graph.state].map(([name, { shape }]) => ({ name, shape, dtype: "float32" as const }));
  const session = await executor.open(slots, weights);
  const runner = await session.load(graph);
  return {
    shapes: Object.fromEntries(Object.entries(traced).map(([name, { shape }]) => [name, shape])),
    run: (feeds) =>
      runner(Object.fromEntries([...graph.feeds.keys()].map((name) => [name, feeds[name] as TypedArray]))),
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
