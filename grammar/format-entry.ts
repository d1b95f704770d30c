/**
 * One line as the formatter writes it: the space between its tokens, and where it breaks when it is too long. It works on
 * tokens, which it never changes, so that it need not know what they mean.
 */

import type { TokenType } from "chevrotain";
import { type Comment, endsLine } from "./comment.js";
import { ofCall } from "./expressions.js";
import type { Element } from "./format-lines.js";
import { spelledOut } from "./scan.js";
import * as T from "./tokens.js";

/** Lines longer than this are broken. */
export const widest = 110;

const openers = new Set<TokenType | undefined>([T.LeftParen, T.LeftBracket, T.LeftBrace]);
const closers = new Set<TokenType | undefined>([T.RightParen, T.RightBracket, T.RightBrace]);
const tightAfter = new Set<TokenType | undefined>([T.LeftParen, T.LeftBracket, T.Dot, T.Dots]);
const tightBefore = new Set<TokenType | undefined>([
  ...[T.RightParen, T.RightBracket, T.Comma, T.Colon],
  ...[T.Dot, T.Dots, T.Percent],
]);

function typeOf(element: Element | undefined): TokenType | undefined {
  return element?.token?.tokenType;
}

/** A comment's text, without space at its end. */
export function commentText(comment: Comment): string {
  return comment.text.trimEnd();
}

function textOf(element: Element): string {
  if (typeOf(element) === T.Quoted) return spelledOut(element.token?.image ?? "");
  return element.token?.image ?? (element.comment ? commentText(element.comment) : "");
}

function spaceBetween(left: Element, right: Element): string {
  if (tightAfter.has(typeOf(left)) || tightBefore.has(typeOf(right))) return "";
  return right.token?.payload === ofCall && typeOf(right) === T.LeftParen ? "" : " ";
}

/** Elements on one line; commas before closing brackets are left out. */
export function flat(elements: readonly Element[]): string {
  let text = "";
  let last: Element | null = null;
  elements.forEach((element, i) => {
    if (typeOf(element) === T.Comma && closers.has(typeOf(elements[i + 1]))) return;
    text += (last ? spaceBetween(last, element) : "") + textOf(element);
    last = element;
  });
  return text;
}

/** A piece between separators, with the comments that go with it. */
interface Item {
  readonly before: Comment[];
  readonly elements: Element[];
  /** After it on its line, and after its comma. */
  readonly after: Comment[];
}

/**
 * Elements split at separators outside of brackets. Null when a comment stands where it could not be kept, such as `//`
 * in the middle of a value.
 */
function split(elements: readonly Element[], separator: TokenType): Item[] | null {
  const items: Item[] = [{ before: [], elements: [], after: [] }];
  // Comments on lines of their own before a `|` belong to the alternative it begins.
  let ahead: Comment[] = [];
  let depth = 0;
  for (const [i, element] of elements.entries()) {
    const item = items.at(-1) as Item;
    const type = typeOf(element);
    const own = depth === 0 && separator === T.Pipe && element.comment?.ownLine && item.elements.length > 0;
    if (depth === 0 && type === separator) {
      items.push({ before: ahead, elements: [], after: [] });
      ahead = [];
    } else if (own && element.comment) ahead.push(element.comment);
    else if (depth === 0 && element.comment) placeComment(items, element, elements[i + 1]);
    else if (item.after.length > 0 || ahead.length > 0) return null;
    else item.elements.push(element);
    if (openers.has(type)) depth++;
    if (closers.has(type)) depth--;
  }
  return ahead.length > 0 || items.some(cannotBeKept) ? null : items;
}

/** True of comments that would swallow one another on one line. */
function cannotBeKept(item: Item): boolean {
  return item.elements.some(brokenByComment) || item.after.slice(0, -1).some(endsLine);
}

/** True of a comment that spoils the line it is part of. */
function brokenByComment({ comment }: Element): boolean {
  return comment !== null && !endsLine(comment) && comment.text.includes("\n");
}

function placeComment(items: readonly Item[], element: Element, following: Element | undefined): void {
  const comment = element.comment as Comment;
  const item = items.at(-1) as Item;
  const previous = items.at(-2);
  if (item.elements.length > 0) {
    if (endsLine(comment)) item.after.push(comment);
    else item.elements.push(element);
  } else if (comment.ownLine || (item.before.length > 0 && endsLine(comment))) {
    item.before.push(comment);
  } else if (!endsLine(comment) && following?.token && !comment.text.includes("\n")) {
    item.elements.push(element);
  } else if (previous) {
    previous.after.push(comment);
  } else {
    item.before.push(comment);
  }
}

/** True when a comment forbids one line. */
function mustBreak(elements: readonly Element[]): boolean {
  return elements.some(
    ({ comment }) => comment !== null && (comment.ownLine || endsLine(comment) || comment.text.includes("\n")),
  );
}

/** The text of elements that start at `column` of a line indented by `indent`, or null where a comment prevents it. */
export function layOutEntry(elements: readonly Element[], column: number, indent: number): string | null {
  const piped = depthsOf(elements).some((depth, i) => depth === 0 && typeOf(elements[i]) === T.Pipe);
  const items = split(elements, piped ? T.Pipe : T.Comma);
  if (items === null) return null;
  const text = flat(withoutOuterCommas(elements, items, piped));
  if (!mustBreak(elements) && column + text.length <= widest) return text;
  const filled = items.filter((item) => item.elements.length > 0);
  if (items.some((item) => item.elements.length === 0 && item.before.length > 0)) return null;
  const [only] = filled;
  if (filled.length === 1 && only && only.before.length === 0 && only.after.length === 0) {
    return breakLongest(only.elements, indent);
  }
  return stack(filled, column, piped);
}

/** Without a comma at the end and a `|` at the start, which say nothing. */
function withoutOuterCommas(elements: readonly Element[], items: readonly Item[], piped: boolean): readonly Element[] {
  if (!piped && items.at(-1)?.elements.length === 0) {
    const comma = elements.findLastIndex((element) => typeOf(element) === T.Comma);
    return elements.filter((_, i) => i !== comma);
  }
  return piped && typeOf(elements[0]) === T.Pipe ? elements.slice(1) : elements;
}

/** One item a line: values below each other, alternatives with each `|` below the `=`. */
function stack(items: readonly Item[], column: number, piped: boolean): string | null {
  const lines: string[] = [];
  if (items[0]?.before.length !== 0) return null;
  for (const [i, given] of items.entries()) {
    const item = piped || i === 0 ? given : withOwnComments(given);
    for (const comment of item.before) lines.push(commentText(comment));
    const text = oneOrMore(item.elements, column, column);
    if (text === null) return null;
    const lead = piped && i > 0 ? "| " : "";
    const comma = piped || i === items.length - 1 ? "" : ",";
    lines.push(`${lead}${text}${comma}${notesAfter(item)}`);
  }
  return lines.join(`\n${" ".repeat(piped ? column - 2 : column)}`);
}

/** An item that begins a line: comments at its head go to lines of their own. */
function withOwnComments(item: Item): Item {
  const first = item.elements.findIndex((element) => element.token !== null);
  const leading = item.elements.slice(0, Math.max(0, first)).flatMap(({ comment }) => (comment ? [comment] : []));
  return { ...item, before: [...item.before, ...leading], elements: item.elements.slice(leading.length) };
}

function notesAfter(item: Item): string {
  return item.after.map((comment) => ` ${commentText(comment)}`).join("");
}

/** Elements on one line if they fit, else broken. */
function oneOrMore(elements: readonly Element[], column: number, indent: number): string | null {
  const text = flat(elements);
  return !mustBreak(elements) && column + text.length <= widest ? text : breakLongest(elements, indent);
}

function depthsOf(elements: readonly Element[]): number[] {
  let depth = 0;
  return elements.map((element) => {
    if (closers.has(typeOf(element))) depth--;
    const here = depth;
    if (openers.has(typeOf(element))) depth++;
    return here;
  });
}

/** Breaks the longest bracket that stands in no other; without one the line stays long. */
function breakLongest(elements: readonly Element[], indent: number): string | null {
  const depths = depthsOf(elements);
  let longest: { from: number; to: number; length: number; forced: boolean } | null = null;
  for (let from = 0; from < elements.length; from++) {
    if (depths[from] !== 0 || !openers.has(typeOf(elements[from]))) continue;
    const to = depths.indexOf(0, from + 1);
    const inner = elements.slice(from, to + 1);
    const forced = mustBreak(inner);
    const length = flat(inner).length;
    if (longest?.forced && forced) return null;
    if (!longest || (forced && !longest.forced) || (forced === longest.forced && length > longest.length)) {
      longest = { from, to, length, forced };
    }
  }
  const outside = longest ? [...elements.slice(0, longest.from), ...elements.slice(longest.to + 1)] : elements;
  if (mustBreak(outside)) return null;
  if (!longest || longest.to === longest.from + 1) return flat(elements);
  return breakBracket(elements, longest.from, longest.to, indent);
}

/** One item a line, each with its comma. */
function breakBracket(elements: readonly Element[], from: number, to: number, indent: number) {
  const items = split(elements.slice(from + 1, to), T.Comma);
  if (items === null) return null;
  const inner = indent + 2;
  const lines = [flat(elements.slice(0, from + 1))];
  for (const item of items.map(withOwnComments)) {
    for (const comment of item.before) lines.push(" ".repeat(inner) + commentText(comment));
    if (item.elements.length === 0) continue;
    const text = oneOrMore(item.elements, inner, inner);
    if (text === null) return null;
    lines.push(`${" ".repeat(inner)}${text},${notesAfter(item)}`);
  }
  const last = elements[to] as Element;
  const rest = elements.slice(to + 1);
  const gap = rest[0] ? spaceBetween(last, rest[0]) : "";
  lines.push(`${" ".repeat(indent)}${textOf(last)}${gap}${flat(rest)}`);
  return lines.join("\n");
}
