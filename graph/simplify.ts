/** Makes a graph smaller without changing what it computes, by passes that each do one thing. */

import type { Graph } from "./graph.js";
import { algebra } from "./passes/algebra.js";
import { commonSubexpressions } from "./passes/common-subexpressions.js";
import { constantFolding } from "./passes/constant-folding.js";
import { deadCode } from "./passes/dead-code.js";
import { earlyGathers } from "./passes/early-gathers.js";
import type { Pass } from "./passes/pass.js";

/** All passes, in the order in which they run. */
export const passes: readonly Pass[] = [
  deadCode,
  algebra,
  earlyGathers,
  constantFolding,
  commonSubexpressions,
  deadCode,
];

/**
 * Runs the passes, again and again until none finds anything. Each of their steps removes a node, moves a gather nearer
 * to its source, or has a factor multiply something smaller, so this ends; a second call changes nothing.
 *
 * @param only the passes to run; all of them by default.
 * @param watch is shown the graph after each pass that changed it.
 * @returns a graph with the same feeds, state, outputs and updates, whose numbers differ by rounding at most. An output
 * may now be an input or a constant itself, and two outputs may be one tensor.
 */
export function simplify(
  graph: Graph,
  only: readonly Pass[] = passes,
  watch?: (pass: Pass, graph: Graph) => void,
): Graph {
  let before: Graph;
  let after = graph;
  do {
    before = after;
    for (const pass of only) {
      const next = pass.run(after);
      if (next !== after) watch?.(pass, next);
      after = next;
    }
  } while (after !== before);
  return after;
}
