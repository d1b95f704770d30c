/**
 * Text to tokens, with everything reported that is wrong in a single one: characters no name has, strings and comments
 * without an end, numbers gone wrong. What is wrong in their order is left to `layout.ts` and `parser.ts`.
 */

import type { IToken } from "chevrotain";
import type { Comment } from "./comment.js";
import { type Diagnostic, keep, mostFindings } from "./diagnostic.js";
import { badNumber, invalidCharacter, invalidEscape, openComment, openString } from "./lexical-messages.js";
import { positionAt, type Source } from "./source.js";
import * as T from "./tokens.js";

/** @internal */
export interface Scanned {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The comments of a text, in its order. */
export const commentsOf = (source: Source): readonly Comment[] => scan(source).comments;

/** The payload of a `Quoted` token is its text with the escapes resolved; that of a `Numeral` its value. @internal */
export function scan(source: Source): Scanned {
  const lexed = T.lex(source.text);
  const diagnostics: Diagnostic[] = [];
  const tokens: IToken[] = [];
  for (let i = 0; i < lexed.tokens.length; ) {
    const taken = joinWrong(source, lexed.tokens, i, diagnostics);
    const token = taken.token;
    i = taken.next;
    if (token.tokenType === T.Quoted || token.tokenType === T.OpenQuoted) readQuoted(source, token, diagnostics);
    else if (token.tokenType === T.Numeral || token.tokenType === T.BadNumeral) readNumber(source, token, diagnostics);
    tokens.push(token);
  }
  return { tokens, comments: readComments(source, lexed.comments, diagnostics), diagnostics };
}

const openingQuotes = new Set(["“", "”", "„", "«", "'", "‘", "’", "`"]);
/** A text between wrong quotes; a longer one is read quote by quote. */
const quotedWrongly = /[“”„«'‘’`](?:(?!\/[/*])[^“”»'‘’`"\r\n]){0,200}[“”»'‘’`]/y;

/**
 * The token at `i`, or, where characters stand that begin no token, one `Invalid` token for the whole piece they spoil:
 * `größe` and `smooth-l1` are one mistake each, not three.
 */
function joinWrong(source: Source, tokens: readonly IToken[], i: number, out: Diagnostic[]): Joined {
  const first = tokens[i] as IToken;
  if (first.tokenType === T.Invalid && openingQuotes.has(first.image)) {
    quotedWrongly.lastIndex = first.startOffset;
    const end = quotedWrongly.test(source.text) ? quotedWrongly.lastIndex : T.endOf(first);
    let next = i + 1;
    while (next < tokens.length && (tokens[next] as IToken).startOffset < end) next++;
    return report(source, first, end, next, out);
  }
  if (first.tokenType !== T.Invalid && !T.isA(first, T.Word)) return { token: first, next: i + 1 };
  let next = i + 1;
  let end = T.endOf(first);
  let wrong = first.tokenType === T.Invalid;
  while (next < tokens.length) {
    const token = tokens[next] as IToken;
    const spoilt = token.tokenType === T.Invalid && !openingQuotes.has(token.image);
    if (token.startOffset !== end || !(spoilt || T.isA(token, T.Word))) break;
    wrong ||= spoilt;
    end = T.endOf(token);
    next++;
  }
  return wrong ? report(source, first, end, next, out) : { token: first, next: i + 1 };
}

interface Joined {
  readonly token: IToken;
  readonly next: number;
}

function report(source: Source, first: IToken, end: number, next: number, out: Diagnostic[]): Joined {
  if (out.length < mostFindings) out.push(invalidCharacter({ source, start: first.startOffset, end }));
  const image = source.text.slice(first.startOffset, end);
  return { token: { ...first, tokenType: T.Invalid, tokenTypeIdx: T.Invalid.tokenTypeIdx ?? 0, image }, next };
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" };

function readQuoted(source: Source, token: IToken, out: Diagnostic[]): void {
  const closed = token.tokenType === T.Quoted;
  if (!closed) keep(out, openString({ source, start: token.startOffset, end: T.endOf(token) }));
  const inner = token.image.slice(1, closed ? -1 : undefined);
  const at = token.startOffset + 1;
  token.payload = inner.replace(/\\(u\{([^}"]*)\}|.)?/gsu, (all, what: string | undefined, hex, offset: number) => {
    const known = what === undefined ? undefined : escapes[what];
    if (known !== undefined) return known;
    if (typeof hex === "string" && isScalar(hex)) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (closed) keep(out, invalidEscape({ source, start: at + offset, end: at + offset + all.length }));
    return all;
  });
}

/** Characters that cannot be seen, or that a terminal obeys, as a string of the language writes them. */
export const spelledOut = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu, (c) =>
    c === "\t" ? "\\t" : `\\u{${(c.codePointAt(0) as number).toString(16)}}`,
  );

/** A Unicode scalar value in one to six hexadecimal digits: no surrogate, nothing past 10FFFF. */
function isScalar(hex: string): boolean {
  const code = /^[0-9a-fA-F]{1,6}$/.test(hex) ? Number.parseInt(hex, 16) : -1;
  return code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

function readNumber(source: Source, token: IToken, out: Diagnostic[]): void {
  const value = Number(token.image);
  const whole = /^-?\d+$/.test(token.image);
  const exact = Number.isFinite(value) && (!whole || Number.isSafeInteger(value));
  if (token.tokenType === T.Numeral && exact) {
    token.payload = value;
    return;
  }
  token.tokenType = T.BadNumeral;
  token.tokenTypeIdx = T.BadNumeral.tokenTypeIdx ?? 0;
  keep(out, badNumber({ source, start: token.startOffset, end: T.endOf(token) }));
}

function readComments(source: Source, tokens: readonly IToken[], out: Diagnostic[]): Comment[] {
  const comments: Comment[] = [];
  for (const token of tokens) comments.push(readComment(source, token, comments.at(-1)?.span.end ?? 0, out));
  return comments;
}

/** `before`: where the comment before it ends. */
function readComment(source: Source, token: IToken, before: number, out: Diagnostic[]): Comment {
  const span = { source, start: token.startOffset, end: T.endOf(token) };
  if (token.tokenType === T.OpenComment) keep(out, openComment(span));
  const lineStart = span.start - positionAt(source, span.start).column + 1;
  // Only the first comment of a line looks at what stands before it.
  const ownLine = before <= lineStart && source.text.slice(lineStart, span.start).trim() === "";
  const kind = token.tokenType === T.DocComment ? "doc" : token.tokenType === T.LineComment ? "line" : "block";
  return { kind, text: token.image, span, ownLine };
}
