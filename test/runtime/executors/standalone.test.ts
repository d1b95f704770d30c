/** Graphs as models that need nothing of ours: every operation in standard operators, and any number of samples. */

import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  type Builder,
  createBuilder,
  evaluate,
  type Graph,
  randomStream,
  simplify,
  type Tensor,
  type Values,
} from "../../../graph/index.js";
import { anyBatch, standaloneModel } from "../../../runtime/executors/onnx/standalone.js";
import { disagreement } from "./case.js";
import { cases } from "./cases.js";

/** Runs a graph's model on its feeds, whose shapes are those of `like`. */
async function runModel(graph: Graph, like: Graph, feeds: Values): Promise<Values> {
  const about = { version: "0", doc: "", metadata: {} };
  const { model } = standaloneModel(graph, { values: {}, docs: {}, about, largest: 2 ** 31, beside: () => "" });
  const session = await InferenceSession.create(Buffer.concat(model), { logSeverityLevel: 3 });
  const inputs = [...like.feeds].map(([name, { dtype, shape }]) => {
    return [name, new OnnxTensor(dtype as "float32", feeds[name] as Float32Array, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(inputs));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

const operations = [...new Set(cases.map(({ operation }) => operation))];

describe("in standard operators", () => {
  it.each(operations)("%s and its gradient", async (operation) => {
    for (const { name, graph, feeds } of cases.filter((one) => one.operation === operation)) {
      const found = await runModel(simplify(graph), graph, feeds);
      expect(disagreement(found, evaluate(graph, feeds).outputs), name).toBeLessThan(1e-5);
    }
  });
});

/** x [B, 4, 6], index int32 [B, 2] -> whatever depends on the number of samples. */
const functions: Readonly<Record<string, (g: Builder, x: Tensor, index: Tensor) => Tensor>> = {
  "picked tokens": (g, x, index) => g.takeTokens(x as never, index as never) as Tensor,
  "placed tokens": (g, x, index) => g.putTokens(g.slice(x, [0, 1, 0], [g.batch, 2, 6]), index, 5),
  "samples and tokens on one axis": (g, x) => g.sum(g.reshape(x, [g.batch * 4, 6]), [1]),
  "parts of samples as samples": (g, x) => {
    const parts = g.transpose(g.reshape(x, [g.batch, 4, 2, 3]), [0, 2, 1, 3]);
    return g.softmax(g.reshape(parts, [g.batch * 2, 4, 3]));
  },
  "one row for all": (g, x) => {
    const row = g.broadcast(g.constant(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 1, 6]) as Tensor, ["B", 1, 6]);
    return g.concat([row, x], 1);
  },
  "one number everywhere": (g, x) => g.concat([x, g.constant(0.5, ["B", 2, 6]) as Tensor], 1),
  "rows of many samples": (g, x) => {
    const rows = g.broadcast(g.constant(Float32Array.of(1, 2, 3), [1, 3]) as Tensor, [g.batch * 2, 3]);
    return g.add(g.reshape(g.slice(x, [0, 0, 0], [g.batch, 1, 6]), [g.batch * 2, 3]), rows);
  },
  "two axes of samples": (g, x) => {
    const pairs = g.matmul(g.reshape(x, [g.batch, 24]), g.reshape(x, [g.batch, 24]), { b: true });
    return g.reshape(g.broadcast(g.reshape(pairs, [1, g.batch, g.batch]), [2, g.batch, g.batch]), [
      2 * g.batch,
      g.batch,
    ]);
  },
};

describe("for any number of samples", () => {
  const traced = (batch: number, build: (typeof functions)[string]): Graph => {
    const g = createBuilder({ batch });
    const [image, index] = [g.input("image", ["B", 4, 6]), g.input("index", ["B", 2], "int32")];
    return g.finish({ outputs: { y: build(g, image as Tensor, index as Tensor) } });
  };

  it.each(Object.keys(functions))("%s", async (name) => {
    const build = functions[name] as (typeof functions)[string];
    const graph = simplify(traced(anyBatch, build));
    for (const batch of [1, 2, 5]) {
      const random = randomStream(batch, "probe");
      const image = Float32Array.from({ length: batch * 24 }, () => random.normal());
      const places = Array.from({ length: batch }, () => random.integer(2)).flatMap((i) => [3 * i, 2 - i]);
      const feeds = { image, index: Int32Array.from(places) };
      const like = traced(batch, build);
      expect(disagreement(await runModel(graph, like, feeds), evaluate(like, feeds).outputs)).toBeLessThan(1e-6);
    }
  });
});
