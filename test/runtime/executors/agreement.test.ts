/**
 * Every executor that is here computes what the float64 reference computes: each operation, its gradient, a training
 * run. Those that are not here are skipped by name, with the reason. Software devices have their own tests in
 * `test/browser`.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate, type Values } from "../../../graph/index.js";
import { type Executor, listExecutors, openExecutor, type Session } from "../../../runtime/executors/index.js";
import { disagreement, toleranceOf } from "./case.js";
import { cases } from "./cases.js";
import { feedsOf, initialState, train, trainingGraph } from "./training.js";

const operations = [...new Set(cases.map(({ operation }) => operation))];
const here = await listExecutors();

/** Losses and state of the reference. */
function trainReference(steps: number): { readonly losses: number[]; readonly state: Values } {
  const graph = trainingGraph();
  let state = initialState();
  const losses = Array.from({ length: steps }, (_, i) => {
    const { outputs, updates } = evaluate(graph, feedsOf(i + 1), state);
    state = { ...state, ...updates };
    return outputs.loss?.[0] as number;
  });
  return { losses, state };
}

for (const { backend, present, why, remedy } of here) {
  if (!present) {
    console.log(`agreement of ${backend}: skipped, ${why}. ${remedy}`);
    it.skip(`${backend}: ${why}`, () => {});
    continue;
  }

  describe(backend, () => {
    let executor: Executor;
    let session: Session;
    beforeAll(async () => {
      executor = await openExecutor(backend as Parameters<typeof openExecutor>[0]);
      session = await executor.open([], {});
    });
    afterAll(async () => {
      await session.close();
      await executor.close();
    });

    it.each(operations)("%s and its gradient", async (operation) => {
      for (const { name, graph, feeds } of cases.filter((one) => one.operation === operation)) {
        const run = await session.load(graph);
        const difference = disagreement(await run(feeds), evaluate(graph, feeds).outputs);
        expect(difference, name).toBeLessThan(toleranceOf(operation, backend));
      }
    });

    it("trains to the same losses, and keeps no tensor from step to step", async () => {
      const { losses, memory } = await train(executor, 25);
      const reference = trainReference(25);
      expect(
        disagreement({ losses: Float64Array.from(losses) }, { losses: Float64Array.from(reference.losses) }),
      ).toBeLessThan(1e-4);
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      expect(new Set(memory.map(({ tensors }) => tensors)).size).toBe(1);
      if (executor.name === "tfjs") expect(new Set(memory.map(({ bytes }) => bytes)).size).toBe(1);
    });
  });
}
