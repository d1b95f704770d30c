/** The form of a pass. */

import type { Graph } from "../graph.js";

/** A rewriting that keeps what a graph computes, up to rounding. */
export interface Pass {
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** A new graph, or the same one where there was nothing to do. */
  readonly run: (graph: Graph) => Graph;
}
