/**
 * Brackets and line ends: tokens in, tokens out, but every bracket of the result has its partner and every entry its
 * `LineEnd`. A bracket that was left open is closed (by a token of no width) where the next line clearly begins something
 * new; so one forgotten `)` costs one report, and the parser never looks for the end of what it cannot read.
 */

import { createTokenInstance, type IToken, type TokenType } from "chevrotain";
import { type Diagnostic, keep } from "./diagnostic.js";
import { deepNesting, mismatched, unclosed } from "./messages.js";
import type { Source, Span } from "./source.js";
import * as T from "./tokens.js";

/** Brackets may stand this many deep; what is deeper is reported and skipped. */
export const deepest = 64;

export interface LaidOut {
  /** With `LineEnd` tokens, closing tokens of no width, and `Stray` for closing brackets that close nothing. */
  readonly tokens: IToken[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Open {
  readonly token: IToken;
  /** Parentheses, brackets and the braces of an import: line ends within mean nothing. */
  readonly flat: boolean;
  /** The body of `variants`, where a path and `=` begin an entry. */
  readonly axes: boolean;
  /** Where its line begins to be written on: a column. */
  readonly indent: number;
  /** What is wrong with it was already said. */
  silent: boolean;
}

interface Layout {
  readonly source: Source;
  readonly input: readonly IToken[];
  readonly output: IToken[];
  readonly diagnostics: Diagnostic[];
  readonly open: Open[];
  /** Braces whose partner stands further left than their own line: likely the ones that were left open. */
  readonly suspects: Open[];
  /** Index of the first token of the current entry. */
  entry: number;
  /** Where the current line begins to be written on: a column. */
  indent: number;
}

const partners = new Map<TokenType, TokenType>([
  [T.LeftBrace, T.RightBrace],
  [T.LeftParen, T.RightParen],
  [T.LeftBracket, T.RightBracket],
]);
const closers = new Set(partners.values());
const declared = new Set<TokenType | undefined>([T.words.model, T.words.recipe, T.words.variants, T.words.pipeline]);
const headed = new Set<TokenType | undefined>([T.LeftBrace, T.words.extends, T.words.for, T.words.of]);
const infix = new Set<TokenType | undefined>(
  [T.words.per, T.words.over, T.words.every, T.words.and, T.words.or, T.words.is, T.words.as].concat(
    T.words.from,
    T.words.fresh,
  ),
);
const valued = new Set<TokenType | undefined>([T.Numeral, T.BadNumeral, T.Size, T.Quoted, T.OpenQuoted, T.LeftBracket]);
const unfinished = new Set<TokenType | undefined>([T.Comma, T.Pipe, T.Arrow]);

const logical = new Set<TokenType | undefined>([T.words.and, T.words.or]);

/** Balances the brackets of a token list and marks the ends of its entries. */
export function layOut(source: Source, input: readonly IToken[]): LaidOut {
  const output: IToken[] = [];
  const layout: Layout = { source, input, output, diagnostics: [], open: [], suspects: [], entry: 0, indent: 0 };
  for (let i = 0; i < input.length; ) {
    if (startsLine(input, i)) beginLine(layout, i);
    i = place(layout, i);
  }
  const end = source.text.length;
  while (layout.open.length > 0) closeLast(layout, { source, start: end, end });
  const last = output.at(-1);
  if (last) output.push(zeroWidth(T.LineEnd, T.endOf(last)));
  return { tokens: output, diagnostics: layout.diagnostics };
}

/** The column where the line of a token begins to be written on: a comment before the token counts. */
function indentOf({ text }: Source, token: IToken): number {
  const column = token.startColumn ?? 1;
  const before = text.slice(token.startOffset - column + 1, token.startOffset);
  return Math.min(column, before.length - before.trimStart().length + 1);
}

function startsLine(tokens: readonly IToken[], i: number): boolean {
  const before = tokens[i - 1];
  const token = tokens[i];
  return before === undefined || token === undefined || (before.endLine ?? 0) < (token.startLine ?? 0);
}

/** The type of the token at `i` if it stands on the line of the one before it. */
function typeOnLine(tokens: readonly IToken[], i: number): TokenType | undefined {
  return startsLine(tokens, i) ? undefined : tokens[i]?.tokenType;
}

/** Closes what the new line shows to be open by mistake, and ends the entry before it. */
function beginLine(layout: Layout, i: number): void {
  const { input, open, output } = layout;
  const token = input[i] as IToken;
  const here = spanOf(layout.source, token);
  layout.indent = indentOf(layout.source, token);
  if (startsDeclaration(input, i, open[0])) {
    while (open.length > 0) closeLast(layout, here);
  } else if (startsEntry(layout, i) || standsOut(layout, i)) {
    while (open.at(-1)?.flat) closeLast(layout, here);
  }
  if (open.at(-1)?.flat || output.length === 0 || goesOn(layout, i)) return;
  if (lacksBrace(layout, i)) openMissing(layout, token);
  else if (output.at(-1)?.tokenType !== T.LineEnd) output.push(zeroWidth(T.LineEnd, T.endOf(output.at(-1) as IToken)));
  layout.entry = i;
}

/** Writes the token at `i` and gives the index of the one to go on with. */
function place(layout: Layout, i: number): number {
  const { input, open, output } = layout;
  const token = input[i] as IToken;
  const type = token.tokenType;
  if (type === T.LeftBrace && open.at(-1)?.flat && startsLine(input, i + 1)) {
    while (open.at(-1)?.flat) closeLast(layout, spanOf(layout.source, token));
  }
  if (partners.has(type)) {
    if (open.length >= deepest) return skipDeep(layout, i);
    const ofImport = type === T.LeftBrace && input[i - 1]?.tokenType === T.words.import;
    const axes = input[layout.entry]?.tokenType === T.words.variants;
    const flat = type !== T.LeftBrace || ofImport;
    open.push({ token, flat, axes, indent: layout.indent, silent: false });
    if (!flat) layout.entry = i + 1;
  } else if (closers.has(type)) {
    const last = open.at(-1);
    output.push(close(layout, i));
    if (open.length === 0) {
      layout.suspects.length = 0;
      if (last?.flat === false) layout.entry = i + 1;
    }
    return i + 1;
  } else if (type === T.OpenQuoted) {
    // The string took the rest of its line, closing brackets included.
    for (const bracket of open) bracket.silent ||= bracket.flat;
  }
  output.push(token);
  return i + 1;
}

/** Matches a closing bracket; one that nothing waits for becomes `Stray`. */
function close(layout: Layout, i: number): IToken {
  const { open, source, input } = layout;
  const token = input[i] as IToken;
  const isBrace = token.tokenType === T.RightBrace;
  // Only `}` reaches over braces: a stray `)` in a body does not end it.
  const reach = isBrace ? 0 : open.findLastIndex((bracket) => !bracket.flat) + 1;
  const partner = open.findLastIndex((bracket, at) => at >= reach && closes(bracket, token));
  const last = open.at(-1);
  if (!isBrace && last?.flat && last.token.tokenType !== T.LeftBrace && !closes(last, token)) {
    if (partner < 0 || closedLater(input, i, open[partner])) return closeWrongly(layout, token);
  }
  if (partner < 0) return retyped(token, T.Stray);
  while (open.length - 1 > partner) closeLast(layout, spanOf(source, token));
  const matched = open.pop() as Open;
  const further = startsLine(input, i) && isBrace && (token.startColumn ?? 1) < matched.indent;
  if (further && !matched.silent) layout.suspects.push(matched);
  return token;
}

/** Takes `)` for `]` or the other way round. */
function closeWrongly(layout: Layout, token: IToken): IToken {
  const { source } = layout;
  const opener = (layout.open.pop() as Open).token;
  keep(layout.diagnostics, mismatched(spanOf(source, token), spanOf(source, opener)));
  return retyped(token, partners.get(opener.tokenType) as TokenType);
}

/** How far on its line a closing bracket is looked for, in tokens: a longer line is not read again for each bracket. */
const furthest = 256;

/** True when the line has another closing bracket for an open one: then the one at `i` was meant for something else. */
function closedLater(tokens: readonly IToken[], i: number, open: Open | undefined): boolean {
  let depth = 0;
  for (let at = i + 1; at < i + furthest && !startsLine(tokens, at); at++) {
    const type = (tokens[at] as IToken).tokenType;
    if (partners.has(type)) depth++;
    else if (closers.has(type) && depth-- === 0) return closes(open, tokens[at] as IToken);
  }
  return false;
}

function closes(open: Open | undefined, token: IToken): boolean {
  return open !== undefined && partners.get(open.token.tokenType) === token.tokenType;
}

/** Ends the innermost open bracket before `here`, and says so unless that was said before. */
function closeLast(layout: Layout, here: Span): void {
  const { open, output } = layout;
  const last = open.pop() as Open;
  const at = endOfOpen(output, last);
  const before = output[at - 1] as IToken;
  output.splice(at, 0, zeroWidth(partners.get(last.token.tokenType) as TokenType, T.endOf(before)));
  if (last.silent) return;
  const guilty = last.flat ? last : (layout.suspects.pop() ?? last);
  keep(layout.diagnostics, unclosed(spanOf(layout.source, guilty.token), here, T.endOf(before)));
}

/** Where in the output an open bracket ends: a list ends before an argument, `[1, 2, c: 3` after the 2. */
function endOfOpen(output: readonly IToken[], { token }: Open): number {
  if (token.tokenType !== T.LeftBracket) return output.length;
  const type = (i: number) => output[i]?.tokenType;
  let depth = 0;
  for (let i = output.lastIndexOf(token) + 1; i < output.length; i++) {
    const argument = type(i) === T.Comma && T.isA(output[i + 1], T.Word) && type(i + 2) === T.Colon;
    if (depth === 0 && argument) return i;
    if (partners.has(type(i) as TokenType)) depth++;
    if (closers.has(type(i) as TokenType)) depth--;
  }
  return output.length;
}

/** Steps over everything in a bracket that stands too deep; one `Invalid` token takes its place. */
function skipDeep(layout: Layout, from: number): number {
  const { input, source } = layout;
  const token = input[from] as IToken;
  const end = endOfDeep(layout, from);
  const last = input[end - 1] as IToken;
  keep(layout.diagnostics, deepNesting(spanOf(source, token), deepest));
  const image = source.text.slice(token.startOffset, T.endOf(last));
  layout.output.push({ ...retyped(token, T.Invalid), image, endLine: last.endLine ?? 1 });
  return end;
}

/** The index after the bracket that closes the one at `from`; without one, of the next declaration. */
function endOfDeep({ input, open }: Layout, from: number): number {
  let depth = 0;
  let i = from;
  for (; i < input.length; i++) {
    if (i > from && startsLine(input, i) && startsDeclaration(input, i, open[0])) break;
    const type = (input[i] as IToken).tokenType;
    if (partners.has(type)) depth++;
    else if (closers.has(type) && --depth === 0) return i + 1;
  }
  for (const bracket of open) bracket.silent = true;
  return i;
}

/** A body that lacks its `{`: the lines that follow the header are taken for it. */
function openMissing(layout: Layout, token: IToken): void {
  const brace = zeroWidth(T.LeftBrace, T.endOf(layout.output.at(-1) as IToken));
  const axes = layout.input[layout.entry]?.tokenType === T.words.variants;
  layout.output.push(brace);
  layout.open.push({ token: brace, flat: false, axes, indent: token.startColumn ?? 1, silent: true });
}

/** True when a header without `{` ended before `i` and lines follow that it was meant for. */
function lacksBrace({ input, open, entry }: Layout, i: number): boolean {
  if (open.length > 0 || entry >= i || !declared.has(input[entry]?.tokenType)) return false;
  return startsDeclaration(input, entry) && !startsDeclaration(input, i);
}

/**
 * `model Name`. Within a body, where `model` may be a slot, only a whole header counts, or one that stands as far left as
 * the declaration around it.
 */
function startsDeclaration(tokens: readonly IToken[], i: number, around?: Open): boolean {
  const token = tokens[i];
  if (token?.tokenType === T.words.import) return typeOnLine(tokens, i + 1) === T.LeftBrace;
  if (!declared.has(token?.tokenType) || startsLine(tokens, i + 1) || !T.isA(tokens[i + 1], T.Word)) return false;
  const third = typeOnLine(tokens, i + 2);
  if (headed.has(third)) return true;
  return third === undefined && (around === undefined || (token?.startColumn ?? 1) <= around.indent);
}

/** A line that no comma joins to an open list, and that is indented no further than the line where the list began. */
function standsOut({ input, open }: Layout, i: number): boolean {
  const list = open.at(-1);
  const before = input[i - 1];
  const type = input[i]?.tokenType;
  const begins = T.isA(input[i], T.Word) || valued.has(type) || type === T.Equals || type === T.Invalid;
  if (!list?.flat || !begins || before?.tokenType === T.Comma || before === list.token) return false;
  return (input[i]?.startColumn ?? 1) <= list.indent;
}

/** A line no argument list could go on with: `slot block`, `slot label: block`, `slot 5`, `path = ...` of variants. */
function startsEntry(layout: Layout, i: number): boolean {
  const { input } = layout;
  if (!T.isA(input[i], T.Word)) return false;
  const second = typeOnLine(input, i + 1);
  if (valued.has(second)) return true;
  if (second !== undefined && T.isA(input[i + 1], T.Word)) {
    if (infix.has(second)) return typeOnLine(input, i + 2) === T.Colon;
    return input[i]?.tokenType !== T.words.all;
  }
  return layout.open.findLast((bracket) => !bracket.flat)?.axes === true && startsAxis(input, i);
}

function startsAxis(tokens: readonly IToken[], i: number): boolean {
  let at = i + 1;
  while (typeOnLine(tokens, at) === T.Dot && T.isA(tokens[at + 1], T.Word)) at += 2;
  return typeOnLine(tokens, at) === T.Equals;
}

/** True when the line that begins at `i` continues the entry before it. */
function goesOn(layout: Layout, i: number): boolean {
  const { input, output, entry, open } = layout;
  const token = input[i] as IToken;
  const before = output.at(-1)?.tokenType;
  if (before === T.LeftBrace || token.tokenType === T.RightBrace) return before === T.LeftBrace;
  const first = input[entry]?.tokenType;
  if (startsDeclaration(input, i, open[0])) return false;
  if (open.length === 0 && declared.has(first) && headed.has(token.tokenType)) return true;
  const conditional = first === T.words.skip && input[entry + 1]?.tokenType === T.words.when;
  if (conditional && logical.has(token.tokenType)) return true;
  if (first === T.words.import && token.tokenType === T.words.from) return true;
  if (startsEntry(layout, i)) return false;
  if (conditional && logical.has(before)) return true;
  if (unfinished.has(before) || unfinished.has(token.tokenType)) return true;
  return token.tokenType === T.LeftBrace;
}

function retyped(token: IToken, type: TokenType): IToken {
  return { ...token, tokenType: type, tokenTypeIdx: type.tokenTypeIdx ?? 0 };
}

function zeroWidth(type: TokenType, offset: number): IToken {
  return createTokenInstance(type, "", offset, offset - 1, Number.NaN, Number.NaN, Number.NaN, Number.NaN);
}

function spanOf(source: Source, token: IToken): Span {
  return { source, start: token.startOffset, end: T.endOf(token) };
}
