/** Dotted paths into a model: `encoder.depth`, `target.region.decoder.width`: what may follow, and what the whole names. */

import { type Params, recipeSettings } from "../blocks/index.js";
import { takesMany } from "../compiler/index.js";
import { type Candidate, none, parameterCandidates, slotCandidates } from "./candidate.js";
import type { Line } from "./scene.js";
import type { Wanted } from "./values.js";

/** The plain values of a recipe. */
export const settings: Params = recipeSettings;

const distinct = <V>(values: readonly V[]): readonly V[] => [...new Set(values)];

/** What may follow the words of a path. */
export function pathCandidates(path: readonly string[], lines: readonly Line[]): readonly Candidate[] {
  const [slot, ...rest] = path;
  if (slot === undefined) return slotCandidates(distinct(lines.map(({ rule }) => rule)));
  const there = lines.filter(({ rule }) => rule.slot === slot);
  const [first, ...more] = rest;
  if (first === undefined)
    return [...labelsOf(there), ...parametersOf(there.filter(({ label }) => label === null || there.length === 1))];
  const named = there.filter((line) => isNamed(line, first));
  if (more.length === 0)
    return [
      ...parametersOf(named),
      ...slotCandidates(distinct(named.flatMap(({ inner }) => inner.map(({ rule }) => rule)))),
    ];
  const within = named.length > 0 ? named : there;
  return more.length === 1
    ? parametersOf(within.flatMap(({ inner }) => inner.filter(({ rule }) => rule.slot === more[0])))
    : none;
}

const isNamed = ({ rule, label, definition }: Line, name: string): boolean =>
  label === name || (takesMany(rule) && label === null && definition?.name === name);

/** How lines of a slot are told apart: by labels, or by their blocks. */
export const labelsOf = (lines: readonly Line[]): readonly Candidate[] =>
  lines.flatMap(({ rule, label, definition, span }): readonly Candidate[] => {
    if (label !== null) return [{ kind: "label", name: label, summary: `A line of \`${rule.slot}\`.`, at: span }];
    if (!takesMany(rule) || !definition) return none;
    return [{ kind: "label", name: definition.name, summary: definition.summary, at: span }];
  });

const parametersOf = (lines: readonly Line[]): readonly Candidate[] => {
  const found = new Map<string, Candidate>();
  for (const { definition } of lines)
    for (const one of definition ? parameterCandidates(definition) : none)
      if (!found.has(one.name)) found.set(one.name, one);
  return [...found.values()];
};

/** What the value at a path may be: a block where the path ends with a slot or its label; null: not known. */
export function wantedAt(path: readonly string[], lines: readonly Line[]): Wanted {
  const parent = path.slice(0, -1);
  const found = pathCandidates(parent, lines).find(
    (candidate) =>
      candidate.name === path.at(-1) &&
      (candidate.kind === "parameter" || candidate.kind === "slot" || candidate.kind === "label"),
  );
  if (found?.kind === "parameter") return found.param.type;
  if (found?.kind === "slot") return { kind: "block", of: found.rule.kind };
  const rule = found && lines.find((line) => line.rule.slot === path[0])?.rule;
  return rule ? { kind: "block", of: rule.kind } : null;
}
