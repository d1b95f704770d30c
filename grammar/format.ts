/**
 * Text to the one form a spec is written in. It keeps every comment and every token as written and decides about space,
 * line breaks and commas before closing brackets alone; so it needs no block's name, and a line with an error in it
 * stays as it is. The rules are told in `spec/06-formatting.md`.
 */

import { type Comment, endsLine } from "./comment.js";
import type { Diagnostic } from "./diagnostic.js";
import { commentText, flat, layOutEntry } from "./format-entry.js";
import { type Element, endOfAll, type Line, linesOf, type Piece } from "./format-lines.js";
import { outline } from "./outline.js";
import { type ParsedTokens, parseTokens } from "./parse.js";
import type { Source } from "./source.js";
import * as T from "./tokens.js";

export interface Formatted {
  readonly text: string;
  /** What `parse` says of the text that was given. */
  readonly diagnostics: readonly Diagnostic[];
}

/** How the lines of a body are aligned: by their first word, or by the `=` in them. */
type Style = "words" | "signs" | "none";

interface Page {
  readonly text: string;
  /** Keep declarations with an error anywhere in them as they are, not only the lines that have it. */
  readonly careful: boolean;
}

/** The text in its one form. A second run changes nothing. */
export function format(source: Source): Formatted {
  const given = parseTokens(source);
  const { diagnostics } = given;
  const text = source.text.replace(/\r\n?/g, "\n").replace(/^\uFEFF/, "");
  const parsed = text === source.text ? given : parseTokens({ path: source.path, text });
  const written = write(parsed, { text, careful: false });
  if (sameMeaning(parsed, written)) return { text: written, diagnostics };
  // Around an error the lay-out of a line can decide how far the error reaches: keep more of it.
  const kept = write(parsed, { text, careful: true });
  return { text: sameMeaning(parsed, kept) ? kept : text, diagnostics };
}

/** True where a text says the same in code, in comments and in what is wrong with it. */
function sameMeaning(before: ParsedTokens, text: string): boolean {
  const after = parseTokens({ path: before.file.source.path, text });
  const codes = ({ diagnostics }: ParsedTokens) => diagnostics.map((diagnostic) => diagnostic.code).join();
  const comments = (parsed: ParsedTokens) => parsed.comments.map(commentText).join("\n");
  return (
    codes(before) === codes(after) &&
    comments(before) === comments(after) &&
    outline(before.file) === outline(after.file)
  );
}

function write(parsed: ParsedTokens, page: Page): string {
  const lines: string[] = [];
  const pieces = separate(linesOf(parsed), page);
  for (const { piece, blank } of pieces) {
    if (blank && lines.length > 0) lines.push("");
    lines.push(writePiece(piece, 0, 0, "none", page));
  }
  return lines.map((line) => `${line}\n`).join("");
}

interface Spaced {
  readonly piece: Piece;
  /** An empty line stands before it. */
  readonly blank: boolean;
}

function spaced(pieces: readonly Piece[], from: number, page: Page): Spaced[] {
  let end = from;
  return pieces.map((piece) => {
    const gap = page.text.slice(end, piece.start);
    end = endOf(piece);
    return { piece, blank: (gap.match(/\n/g)?.length ?? 0) > 1 };
  });
}

function spansOf(comments: readonly Comment[]) {
  return comments.map((comment) => comment.span);
}

function endOf(piece: Piece): number {
  if (piece.kind === "comment") return piece.end;
  return endOfAll(spansOf(piece.trailing), piece.end);
}

/** Pieces of a file, with an empty line around each declaration, before the comments that belong to it. */
function separate(pieces: readonly Piece[], page: Page): Spaced[] {
  const result = spaced(pieces, 0, page);
  const apart = new Set<number>();
  for (const [i, { piece }] of result.entries()) {
    if (piece.kind === "comment" || piece.broken || !piece.body) continue;
    let first = i;
    while (first > 0 && !result[first]?.blank && result[first - 1]?.piece.kind === "comment") first--;
    apart.add(first);
  }
  return result.map(({ piece, blank }, i) => ({ piece, blank: blank || apart.has(i) }));
}

function hasError(line: Line): boolean {
  return line.broken || (line.body?.pieces.some((piece) => piece.kind === "line" && hasError(piece)) ?? false);
}

function writePiece(piece: Piece, indent: number, width: number, style: Style, page: Page): string {
  const margin = " ".repeat(indent);
  if (piece.kind === "comment") return `${margin}${commentText(piece.comment)}`;
  const trailing = piece.trailing.map((comment) => ` ${commentText(comment)}`).join("");
  const keep = piece.broken || swallowsTrailing(piece) || (page.careful && indent === 0 && hasError(piece));
  const text = keep ? null : writeLine(piece, indent, width, style, page);
  return `${text ?? asWritten(piece, margin, page)}${trailing}`;
}

/** True where only a comma, which would be left out, keeps a `//` apart from the comments after it. */
function swallowsTrailing({ head, body, trailing }: Line): boolean {
  const last = head.findLast((element) => element.token?.tokenType !== T.Comma);
  return trailing.length > 0 && body === null && last?.comment != null && endsLine(last.comment);
}

/** A line with an error: byte for byte, its indentation included. */
function asWritten(line: Line, margin: string, page: Page): string {
  const before = page.text.slice(page.text.lastIndexOf("\n", line.start - 1) + 1, line.start);
  return (before.trim() === "" ? before : margin) + page.text.slice(line.start, line.end);
}

/** A line and its body, or null where a comment stands in its way. */
function writeLine(line: Line, indent: number, width: number, style: Style, page: Page): string | null {
  const margin = " ".repeat(indent);
  const { start, rest } = cut(line, style);
  const lead = start.length === 0 ? "" : flat(start);
  if (start.some((element) => element.comment)) return null;
  const padded = rest.length === 0 ? lead : `${lead.padEnd(width)} `;
  const column = start.length === 0 ? indent : indent + padded.length;
  const head = rest.length === 0 ? "" : layOutRest(rest, column, indent);
  if (head === null) return null;
  const text = `${margin}${start.length === 0 ? "" : padded}${head}`;
  return line.body ? `${text} ${writeBody(line, indent, page)}` : text;
}

/** The rest of a line; where it is `= ...`, what follows the sign stands in a column of its own. */
function layOutRest(rest: readonly Element[], column: number, indent: number): string | null {
  const [sign, ...after] = rest;
  if (sign?.token?.tokenType !== T.Equals) return layOutEntry(rest, column, indent);
  const text = layOutEntry(after, column + 2, indent);
  return text === null ? null : `= ${text}`;
}

/** A line in two: what is padded to the width of its neighbours, and the rest. */
function cut(line: Line, style: Style): { start: readonly Element[]; rest: readonly Element[] } {
  const sign = line.head.findIndex((element) => element.token?.tokenType === T.Equals);
  if (sign > 0) return { start: line.head.slice(0, sign), rest: line.head.slice(sign) };
  const length = style === "words" ? 1 : 0;
  return { start: line.head.slice(0, length), rest: line.head.slice(length) };
}

/** How wide the part of a line is that is aligned with its neighbours; 0 where it is not aligned. */
function alignedWidth(piece: Piece, style: Style): number {
  if (piece.kind === "comment" || piece.broken || style === "none") return 0;
  const [first, second] = piece.head;
  if (first?.token?.tokenType === T.words.let && T.isA(second?.token ?? undefined, T.Word)) return 0;
  const { start, rest } = cut(piece, style);
  return start.length === 0 || rest.length === 0 ? 0 : flat(start).length;
}

function writeBody(line: Line, indent: number, page: Page): string {
  const body = line.body as NonNullable<Line["body"]>;
  const opening = body.afterOpen.map((comment) => ` ${commentText(comment)}`).join("");
  if (body.pieces.length === 0 && opening === "") return "{}";
  const style = styleOf(line);
  const open = endOfAll([...line.head, ...spansOf(body.afterOpen)], line.start);
  const pieces = spaced(body.pieces, open, page);
  const lines: string[] = [];
  let group: Spaced[] = [];
  const flush = () => {
    const width = group.reduce((most, { piece }) => Math.max(most, alignedWidth(piece, style)), 0);
    for (const { piece } of group) {
      const own = alignedWidth(piece, style) > 0 ? width : 0;
      lines.push(writePiece(piece, indent + 2, own, style, page));
    }
    group = [];
  };
  for (const [i, entry] of pieces.entries()) {
    if (entry.blank && i > 0) {
      flush();
      lines.push("");
    }
    group.push(entry);
  }
  flush();
  return `{${opening}\n${lines.map((text) => `${text}\n`).join("")}${" ".repeat(indent)}}`;
}

function styleOf(line: Line): Style {
  const type = line.head[0]?.token?.tokenType;
  return type === T.words.variants || type === T.words.pipeline ? "signs" : "words";
}
