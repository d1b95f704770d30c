/** The door from text to syntax tree. Nothing here or below throws for any text. */

import type { IToken } from "chevrotain";
import type * as Ast from "./ast.js";
import { type Comment, docText } from "./comment.js";
import type { Diagnostic } from "./diagnostic.js";
import { layOut } from "./layout.js";
import { strayDoc } from "./messages.js";
import { Parser } from "./parser.js";
import { scan } from "./scan.js";
import type { Source } from "./source.js";

export interface Parsed {
  /** Always there: what could not be read is missing from it, and reported. */
  readonly file: Ast.File;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** In the order of the text. */
  readonly comments: readonly Comment[];
}

/** What the formatter needs besides: the balanced tokens. @internal */
export interface ParsedTokens extends Parsed {
  readonly tokens: readonly IToken[];
}

let parser: Parser | null = null;

/** The syntax tree of a text, with everything that is wrong with its form. */
export function parse(source: Source): Parsed {
  const { file, diagnostics, comments } = parseTokens(source);
  return { file, diagnostics, comments };
}

/** Texts are asked for again and again: by the checker, by each file that imports them, by every question of an editor. */
function once<V>(make: (source: Source) => V): (source: Source) => V {
  const known = new WeakMap<Source, V & object>();
  return (source) => {
    const before = known.get(source);
    if (before) return before;
    const made = make(source) as V & object;
    known.set(source, made);
    return made;
  };
}

/** The tokens of a text, and balanced as the parser reads them. @internal */
export const tokensIn = once((source) => {
  const scanned = scan(source);
  return { scanned, laidOut: layOut(source, scanned.tokens) };
});

/** As `parse`, with the tokens the tree was made of. @internal */
export const parseTokens = once(read);

function read(source: Source): ParsedTokens {
  const { scanned, laidOut } = tokensIn(source);
  const docs = docsBefore(scanned.tokens, scanned.comments);
  const texts = new Map(Array.from(docs, ([offset, comments]) => [offset, docText(comments)]));
  parser ??= new Parser();
  const { file, found } = parser.read(source, laidOut.tokens, texts);
  const strays = Array.from(texts.keys(), (offset) => docs.get(offset)?.[0]).filter((comment) => comment !== undefined);
  const misplaced = scanned.comments.filter((comment) => comment.kind === "doc" && !comment.ownLine);
  const diagnostics = [
    ...scanned.diagnostics,
    ...laidOut.diagnostics,
    ...found,
    ...[...strays, ...misplaced].map((comment) => strayDoc(comment.span)),
  ].sort((a, b) => a.span.start - b.span.start);
  return { file, diagnostics, comments: scanned.comments, tokens: laidOut.tokens };
}

/** The `///` lines before each token, by its offset; those that no token follows stand at the end of the text. */
function docsBefore(tokens: readonly IToken[], comments: readonly Comment[]): Map<number, Comment[]> {
  const docs = new Map<number, Comment[]>();
  let next = 0;
  for (const comment of comments) {
    if (comment.kind !== "doc" || !comment.ownLine) continue;
    while (next < tokens.length && (tokens[next] as IToken).startOffset < comment.span.start) next++;
    const offset = tokens[next]?.startOffset ?? comment.span.source.text.length;
    const before = docs.get(offset);
    if (before) before.push(comment);
    else docs.set(offset, [comment]);
  }
  return docs;
}
