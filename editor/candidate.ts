/** What may stand at a place, with what is known of it: what completion offers, hover explains and a definition leads to. */

import type { Definition, Param, Registry } from "../blocks/index.js";
import { blocksOf, type SlotRule } from "../compiler/index.js";
import type { Declaration, Span } from "../grammar/index.js";

interface Named {
  /** As it is written. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
}

export type Candidate =
  | (Named & { readonly kind: "keyword" | "option" | "unit" })
  | (Named & { readonly kind: "slot"; readonly rule: SlotRule })
  /** A plain value of a recipe. */
  | (Named & { readonly kind: "setting"; readonly param: Param<unknown> })
  | (Named & { readonly kind: "block"; readonly of: string; readonly definition: Definition })
  | (Named & { readonly kind: "parameter"; readonly param: Param<unknown>; readonly definition: Definition })
  /** `declaration` null: it is imported from a file that cannot be read. */
  | (Named & { readonly kind: "declaration"; readonly declaration: Declaration | null })
  /** A `let`, a stage, a label, or a part of a model. `at`: where it is written. */
  | (Named & { readonly kind: "variable" | "stage" | "label" | "part"; readonly at: Span | null });

/** Nothing may stand here that is known: the name of something new, a number, a text. */
export const none: readonly Candidate[] = [];

/** The blocks of a kind. */
export const blockCandidates = (of: string, registry: Registry): readonly Candidate[] =>
  blocksOf(registry, of).map((definition) => ({
    kind: "block",
    name: definition.name,
    summary: definition.summary,
    of,
    definition,
  }));

export const slotCandidates = (rules: readonly SlotRule[]): readonly Candidate[] =>
  rules.map((rule) => ({ kind: "slot", name: rule.slot, summary: sentence(rule.doc), rule }));

/** A name of the file; `declaration` null: it is imported from where it cannot be found. */
export const declarationCandidate = (name: string, declaration: Declaration | null): Candidate => ({
  kind: "declaration",
  name,
  summary:
    declaration?.doc.split("\n")[0] || (declaration ? `A ${declaration.kind} without a description.` : "Not found."),
  declaration,
});

/** The parameters of a block that are not given yet. */
export const parameterCandidates = (
  definition: Definition,
  given: ReadonlySet<string> = new Set(),
): readonly Candidate[] =>
  Object.entries(definition.params)
    .filter(([name]) => !given.has(name))
    .map(([name, param]) => ({ kind: "parameter", name, summary: param.doc, param, definition }));

/** Words that begin small and end without a stop, as a sentence. */
export const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
