/** Lines about weights: those of all layers in one. */

import type { WeightChange } from "../../compiler/index.js";
import { showShape } from "../../graph/index.js";

/** `blocks.*.norm1.weight`: that weight of any layer. */
export const anyLayer = (name: string): string => name.replace(/(^|\.)\d+(?=\.|$)/g, "$1*");

/** Equal lines once, with how often each is there: `blocks.*.norm1.weight [64], 6 times`. */
export function collected(lines: readonly string[]): readonly string[] {
  const times = new Map<string, number>();
  for (const line of lines) times.set(line, (times.get(line) ?? 0) + 1);
  return [...times].map(([line, n]) => (n === 1 ? line : `${line}, ${n} times`));
}

/** What happens to a weight, and in the same words to those of other layers. */
export function weightLine(weight: WeightChange): string {
  const { status } = weight;
  const name = anyLayer(weight.name);
  if (status === "missing") return `missing   ${name} ${showShape(weight.from)}`;
  if (status === "new") return `new       ${name} ${showShape(weight.to)}`;
  return `${status.padEnd(9)} ${name} ${showShape(weight.from)} -> ${showShape(weight.to)}`;
}
