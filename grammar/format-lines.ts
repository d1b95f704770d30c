/**
 * The text as the formatter sees it: lines, bodies of lines, and the comments among them. Nothing is decided here about
 * how they look; `format-entry.ts` writes one line, `format.ts` a body of them.
 */

import type { IToken, TokenType } from "chevrotain";
import type { Comment } from "./comment.js";
import type { ParsedTokens } from "./parse.js";
import type { Span } from "./source.js";
import * as T from "./tokens.js";

/** A token or a comment within a line. */
export interface Element {
  readonly start: number;
  readonly end: number;
  readonly token: IToken | null;
  readonly comment: Comment | null;
}

export interface Line {
  readonly kind: "line";
  readonly start: number;
  /** After the last token, the `}` of its body included. */
  readonly end: number;
  /** What stands before the body; all of it where there is none. */
  readonly head: readonly Element[];
  readonly body: Body | null;
  /** Comments after it on its last line. */
  readonly trailing: readonly Comment[];
  /** It holds an error: its text is kept as it is. */
  readonly broken: boolean;
}

export interface Body {
  /** Comments on the line of the `{`. */
  readonly afterOpen: readonly Comment[];
  readonly pieces: readonly Piece[];
}

/** A comment with lines of its own. */
export interface CommentPiece {
  readonly kind: "comment";
  readonly start: number;
  readonly end: number;
  readonly comment: Comment;
}

export type Piece = Line | CommentPiece;

/** What may begin a line outside of braces; several other lines in a row have one error between them. */
const begins = new Set<TokenType | undefined>([
  ...[T.words.edition, T.words.import],
  ...[T.words.model, T.words.recipe, T.words.variants, T.words.pipeline],
]);

interface Walk {
  readonly elements: readonly Element[];
  readonly errors: readonly Span[];
  at: number;
}

/** Lines and comments of a whole file. */
export function linesOf(parsed: ParsedTokens): readonly Piece[] {
  const tokens = parsed.tokens.map((token) => {
    return { start: token.startOffset, end: T.endOf(token), token, comment: null };
  });
  const comments = parsed.comments.map((comment) => {
    return { start: comment.span.start, end: comment.span.end, token: null, comment };
  });
  // Tokens of no width end what stands before them: they come before a comment at the same place.
  const elements = [...tokens, ...comments].sort(
    (a, b) => a.start - b.start || (a.token ? -1 : 0) - (b.token ? -1 : 0),
  );
  const errors = parsed.diagnostics.filter((d) => d.severity === "error").map((d) => d.span);
  return piecesOf({ elements, errors, at: 0 }).map((piece) => {
    return piece.kind === "comment" || begins.has(piece.head[0]?.token?.tokenType) ? piece : { ...piece, broken: true };
  });
}

function typeAt(walk: Walk) {
  return walk.elements[walk.at]?.token?.tokenType;
}

/** Pieces up to the `}` of the body they stand in, or the end. */
function piecesOf(walk: Walk): Piece[] {
  const pieces: Piece[] = [];
  while (walk.at < walk.elements.length) {
    const element = walk.elements[walk.at] as Element;
    if (element.token?.tokenType === T.RightBrace) break;
    if (element.token?.tokenType === T.LineEnd) walk.at++;
    else if (element.comment) pieces.push(commentPiece(walk, element.comment));
    else pieces.push(lineOf(walk));
  }
  return pieces;
}

function commentPiece(walk: Walk, comment: Comment): CommentPiece {
  walk.at++;
  return { kind: "comment", start: comment.span.start, end: comment.span.end, comment };
}

function lineOf(walk: Walk): Line {
  const first = walk.at;
  const start = (walk.elements[first] as Element).start;
  const headEnd = endOfHead(walk);
  const head = walk.elements.slice(first, headEnd).filter((element) => element.token?.image !== "");
  walk.at = headEnd;
  let body: Body | null = null;
  let unclosed = false;
  if (typeAt(walk) === T.LeftBrace) {
    const open = walk.elements[walk.at++] as Element;
    body = { afterOpen: commentsOnLine(walk), pieces: piecesOf(walk) };
    const close = walk.elements[walk.at++] as Element;
    unclosed = open.token?.image === "" || close.token?.image === "";
  }
  const glued = stepToLineEnd(walk);
  const end = endOfAll(walk.elements.slice(first, walk.at), start);
  const headStop = endOfAll(head, start);
  const wrong = errorWithin(walk, start, body ? headStop : end);
  const brace = (walk.elements[headEnd] as Element).start;
  const broken = unclosed || glued || wrong || (body !== null && errorWithin(walk, brace, brace + 1));
  return { kind: "line", start, end, head, body, trailing: commentsOnLine(walk), broken };
}

/** Where the last of some elements ends; `start` where there is none. */
export function endOfAll(elements: readonly { readonly end: number }[], start: number): number {
  return elements.reduce((end, element) => Math.max(end, element.end), start);
}

/** True when an error begins in a range, or says that something is missing at its end. */
function errorWithin(walk: Walk, start: number, end: number): boolean {
  return walk.errors.some((error) => error.start >= start && (error.start < end || error.end === end));
}

/** The index after the tokens of a line that stand before its body. */
function endOfHead(walk: Walk): number {
  const importing = typeAt(walk) === T.words.import;
  let depth = 0;
  for (let i = walk.at; i < walk.elements.length; i++) {
    const type = walk.elements[i]?.token?.tokenType;
    if (depth === 0 && (type === T.LineEnd || type === T.RightBrace)) return i;
    if (depth === 0 && type === T.LeftBrace && !importing) return i;
    if (type === T.LeftParen || type === T.LeftBracket || type === T.LeftBrace) depth++;
    if (type === T.RightParen || type === T.RightBracket || type === T.RightBrace) depth--;
  }
  return walk.elements.length;
}

/** Takes in what follows the `}` of a body on its line: true where anything does, which is an error. */
function stepToLineEnd(walk: Walk): boolean {
  let depth = 0;
  let at = walk.at;
  let found = false;
  for (; at < walk.elements.length; at++) {
    const { token } = walk.elements[at] as Element;
    const type = token?.tokenType;
    if (depth === 0 && (type === T.LineEnd || type === T.RightBrace)) break;
    if (type === T.LeftBrace) depth++;
    if (type === T.RightBrace) depth--;
    found ||= token !== null;
  }
  if (found) walk.at = at;
  return found;
}

/** Comments that stand after the last token on its line. */
function commentsOnLine(walk: Walk): Comment[] {
  const comments: Comment[] = [];
  for (; walk.at < walk.elements.length; walk.at++) {
    const { comment, token } = walk.elements[walk.at] as Element;
    if (comment && !comment.ownLine) comments.push(comment);
    else if (token?.tokenType !== T.LineEnd) break;
  }
  return comments;
}
