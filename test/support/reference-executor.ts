/** The float64 reference as an executor, so that whole training runs can be compared with it. Slow: for small models. */

import { evaluate, type Graph, type Values } from "../../graph/index.js";
import type { Executor } from "../../runtime/index.js";

export const referenceExecutor: Executor = {
  name: "reference",
  backend: "reference",
  device: "float64",
  async open(slots, initial) {
    let state: Values = Object.fromEntries(
      slots.map(({ name }) => [name, Float64Array.from(initial[name] as Float32Array)]),
    );
    const stateOf = (graph: Graph): Values =>
      Object.fromEntries([...graph.state.keys()].map((name) => [name, state[name] as Float64Array]));
    return {
      load: async (graph) => async (feeds) => {
        const { outputs, updates } = evaluate(graph, feeds, stateOf(graph));
        state = { ...state, ...updates };
        return { ...outputs };
      },
      // Checkpoints are float32.
      read: async (names = Object.keys(state)) =>
        Object.fromEntries(names.map((name) => [name, Float32Array.from(state[name] as Float64Array)])),
      write: async (values) => {
        state = { ...state, ...values };
      },
      memory: () => ({ bytes: 0, tensors: 0 }),
      close: async () => {},
    };
  },
  close: async () => {},
};
