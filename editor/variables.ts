/** The names that a body gives: variables, stages, and labels of its lines. They are read from the tokens, which half-written lines have too. */

import type { Source, Token } from "../grammar/index.js";
import type { Candidate } from "./candidate.js";
import { type Entry, isSign, isWord, withoutVerb, wordAfter } from "./nest.js";
import type { Place, Step } from "./place.js";

/** Lines of the braces around the cursor, those of the line that it stands in left out. */
const linesAround = ({ steps }: Place): readonly Entry[] =>
  steps
    .slice(1)
    .filter(({ group }) => group.opener === "{")
    .flatMap(({ group, entry }) => group.entries.filter((other) => other !== entry));

/** Where a token of the text stands; right where the cursor is on a word. */
const spanOf = (source: Source, { start, end }: Token) => ({ source, start, end });

/** `let` lines of the bodies around the cursor. */
export const variablesIn = (place: Place): readonly Candidate[] =>
  linesAround(place).flatMap(([first, name]): readonly Candidate[] =>
    isWord(first, "let") && isWord(name)
      ? [{ kind: "variable", name: name.text, summary: "A value named by `let`.", at: spanOf(place.span.source, name) }]
      : [],
  );

/** Labels of the lines around the cursor, each once. */
export function labelledLines(place: Place): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const [slot, label, colon] of linesAround(place).map(withoutVerb)) {
    if (!isWord(slot) || !isWord(label) || !isSign(colon, ":") || found.has(label.text)) continue;
    const at = spanOf(place.span.source, label);
    found.set(label.text, { kind: "label", name: label.text, summary: `A line of \`${slot.text}\`.`, at });
  }
  return [...found.values()];
}

/** Stages of a pipeline. */
const stagesOf = (entries: readonly Entry[], place: Place): readonly Candidate[] =>
  entries.flatMap(([first, name, ...rest]): readonly Candidate[] => {
    if (!isWord(first, "stage") || !isWord(name)) return [];
    const of = wordAfter(rest, "of");
    const summary = of === null ? "A stage of the pipeline." : `The stage that trains \`${of}\`.`;
    return [{ kind: "stage", name: name.text, summary, at: spanOf(place.span.source, name) }];
  });

/** All stages of the pipeline around a line. */
export const stagesIn = ({ group }: Step, place: Place): readonly Candidate[] => stagesOf(group.entries, place);

/** Those before the line. */
export const stagesBefore = ({ group, entry }: Step, place: Place): readonly Candidate[] =>
  stagesOf(group.entries.slice(0, group.entries.indexOf(entry)), place);
