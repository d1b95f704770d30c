/** The kinds of all words and signs of a text, for colours that know what a word means. */

import { commentsOf, type Source, type Span, tokensOf } from "../grammar/index.js";
import { isKeyword } from "./keywords.js";
import { type Name, namesOf, type Role } from "./names.js";
import type { Scene } from "./scene.js";

export type TokenKind = "comment" | "keyword" | "number" | "text" | "sign" | Role;

export interface SemanticToken {
  readonly kind: TokenKind;
  readonly span: Span;
  /** Whether a name is given here. */
  readonly gives: boolean;
}

/** In the order of the text; none overlaps another. Words that are not known have none. */
export function semanticTokens(source: Source, scene: Scene): readonly SemanticToken[] {
  const names = new Map<number, Name>();
  for (const name of namesOf(scene)) names.set(name.span.start, name);
  const tokens = tokensOf(source).flatMap(({ kind, text, start, end }, i, all): readonly SemanticToken[] => {
    const span = { source, start, end };
    const name = names.get(start);
    // A unit may touch its number, and is a word or a sign.
    if (name?.span.end === end) return [{ kind: name.role, span: name.span, gives: name.gives }];
    if (start === end) return [];
    const plain = (as: TokenKind): SemanticToken => ({ kind: as, span, gives: false });
    // Behind a dot stands a name, even where it is not known which.
    if (kind === "word") return isKeyword(text) && all[i - 1]?.text !== "." ? [plain("keyword")] : [];
    if (kind === "number" || kind === "size") return [plain("number")];
    if (kind === "text") return [plain("text")];
    return kind === "sign" && /^[-<>=!|.]+$/.test(text) ? [plain("sign")] : [];
  });
  const comments = commentsOf(source).flatMap(({ span }) => linesOf(span));
  const all = [...tokens, ...comments.map((span): SemanticToken => ({ kind: "comment", span, gives: false }))];
  return all.sort((a, b) => a.span.start - b.span.start);
}

/** A place of several lines, line by line: editors know no others. */
function linesOf({ source, start, end }: Span): readonly Span[] {
  const lines = source.text.slice(start, end).matchAll(/[^\r\n]+/g);
  return Array.from(lines, ({ index, 0: line }) => ({
    source,
    start: start + index,
    end: start + index + line.length,
  }));
}
