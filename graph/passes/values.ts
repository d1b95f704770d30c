/** What passes ask about values. */

import type { Node } from "../graph.js";
import { arithmeticOperations, comparisons, type OperationName, unaryOperations } from "../operations.js";
import { isA } from "../rewrite.js";
import type { TypedArray } from "../shape.js";

/** Operations of which each element depends on one element of each input, broadcast to the result. */
export const elementwise: ReadonlySet<OperationName> = new Set<OperationName>([
  ...unaryOperations,
  ...arithmeticOperations,
  ...comparisons,
  "select",
  "cast",
  "gelu",
  "geluGrad",
]);

/** The single value of a constant that repeats it. */
export const fillOf = (node: Node): TypedArray | undefined =>
  isA(node, "constant") && node.attributes.data.length === 1 ? node.attributes.data : undefined;
