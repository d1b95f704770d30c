/** Numbers for the feeds of a graph, the same at each run of the tests. */

import { type Graph, randomStream, sizeOf, type Values } from "../../graph/index.js";

/** Evenly distributed over `range`, in float64. */
export function feedsFor(graph: Graph, seed: number, [low, high]: readonly [number, number] = [-2, 2]): Values {
  return Object.fromEntries(
    [...graph.feeds, ...graph.state].map(([name, { shape }], i) => {
      const random = randomStream(seed, "init", i);
      return [name, Float64Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random.uniform())];
    }),
  );
}
