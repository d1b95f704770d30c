/** Applying changes of text: for fixes and for showing what they would do. */

import type { Fix } from "../../grammar/index.js";

type Edits = Fix["edits"];

/** The text after the edits. They must not overlap; their order does not matter. */
export function applyEdits(text: string, edits: Edits): string {
  let out = "";
  let place = 0;
  for (const edit of inOrder(edits)) {
    out += text.slice(place, edit.span.start) + edit.text;
    place = Math.max(place, edit.span.end);
  }
  return out + text.slice(place);
}

/** Whether no two edits touch the same text, and no two insert at the same place. */
export function disjoint(edits: Edits): boolean {
  const sorted = inOrder(edits);
  return sorted.every((edit, i) => {
    const next = sorted[i + 1];
    return !next || (edit.span.end <= next.span.start && edit.span.start !== next.span.start);
  });
}

const inOrder = (edits: Edits): Edits[number][] =>
  [...edits].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
