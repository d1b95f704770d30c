/** Removes what no result needs. */

import { reachable } from "../trace.js";
import type { Pass } from "./pass.js";

export const deadCode: Pass = {
  name: "dead-code",
  summary: "Nodes that no output or update needs are removed; declared feeds and state stay.",
  run: (graph) => {
    const { feeds, state, outputs, updates } = graph;
    const needed = reachable([...feeds.values(), ...state.values(), ...outputs.values(), ...updates.values()]);
    if (needed.size === graph.nodes.length) return graph;
    return { ...graph, nodes: graph.nodes.filter((node) => needed.has(node)) };
  },
};
