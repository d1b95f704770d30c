/** Parts of models, by which stages and recipes say what they start from. */

import type { Candidate } from "./candidate.js";
import { pathCandidates } from "./paths.js";
import { linesOf, type Scene } from "./scene.js";

/** What a part of a model can be called: slots of blocks that have weights, and their labels. */
export function partCandidates(path: readonly string[], model: string | null, scene: Scene): readonly Candidate[] {
  const lines = linesOf(model, scene.file, scene);
  const [slot, ...rest] = path;
  if (slot === undefined) {
    const weighted = lines.filter(
      ({ definition, inner }) => inner.length > 0 || (definition && hasWeights(definition)),
    );
    const names = [...new Set(weighted.map(({ rule }) => rule.slot))];
    return names.map((name) => ({ kind: "part", name, summary: `The weights of \`${name}\`.`, at: null }));
  }
  return pathCandidates(path, lines).filter(({ kind }) => kind === "label" || (kind === "slot" && rest.length > 0));
}

const hasWeights = (definition: object): boolean =>
  "parameters" in definition || "table" in definition || "momentum" in definition;
