/** Completion: what may stand at a cursor, as text to insert. */

import type { Definition, Param } from "../blocks/index.js";
import { parameterText, sample } from "../compiler/index.js";
import type { Source, Span } from "../grammar/index.js";
import type { Candidate } from "./candidate.js";
import { candidatesAt } from "./candidates.js";
import { placeAt } from "./place.js";
import type { Surroundings } from "./scene.js";

export interface Completion {
  readonly name: string;
  readonly kind: Candidate["kind"];
  /** What it is, in a sentence. */
  readonly summary: string;
  /** What a value takes and its default; which kind a block is of; null: there is nothing more to say. */
  readonly detail: string | null;
  /** The text that it takes the place of. */
  readonly span: Span;
  readonly insert: string;
  /** The same with places to fill in, `${1:75%}`; null: there are none. */
  readonly snippet: string | null;
}

/**
 * What may stand at an offset of a text, which may be half-written: nothing in comments and in quotes.
 *
 * Never throws for any text.
 */
export function complete(source: Source, offset: number, around: Surroundings): readonly Completion[] {
  const place = placeAt(source, offset);
  if (!place) return [];
  const rest = source.text.slice(place.span.end);
  return candidatesAt(place, around).map((candidate) => ({
    name: candidate.name,
    kind: candidate.kind,
    summary: candidate.summary,
    detail: detailOf(candidate),
    span: place.span,
    ...insertion(candidate, rest),
  }));
}

function detailOf(candidate: Candidate): string | null {
  switch (candidate.kind) {
    case "parameter":
    case "setting":
      return parameterText(candidate.param);
    case "block":
      return candidate.of;
    case "declaration":
      return candidate.declaration?.kind ?? null;
    default:
      return null;
  }
}

/** The text of a candidate; what stands behind the cursor already is not written again. */
function insertion(candidate: Candidate, rest: string): Pick<Completion, "insert" | "snippet"> {
  const { kind, name } = candidate;
  if (kind === "parameter") {
    if (/^\s*:/.test(rest)) return { insert: name, snippet: null };
    return { insert: `${name}: `, snippet: `${name}: ${placeholder(1, candidate.param)}` };
  }
  if (kind === "block" && !/^[ \t]*\(/.test(rest)) {
    const snippet = argumentsOf(candidate.definition);
    return { insert: name, snippet: snippet && `${name}(${snippet})` };
  }
  return { insert: name, snippet: null };
}

/** The arguments that a block cannot do without; null: there are none. */
function argumentsOf({ params, positional }: Definition): string | null {
  const needed = Object.entries(params).filter(([, param]) => param.default === undefined);
  const written = needed.map(([name, param], i) => {
    const value = placeholder(i + 1, param);
    return name === positional ? value : `${name}: ${value}`;
  });
  return written.length === 0 ? null : written.join(", ");
}

const placeholder = (i: number, { type }: Param<unknown>): string =>
  type.kind === "text" ? `"\${${i}}"` : `\${${i}:${escaped(sample(type))}}`;

/** Signs that mean something in a snippet. */
const escaped = (text: string): string => text.replace(/[\\$}]/g, "\\$&");
