/**
 * A piece of source with line numbers and underlined places, for people: `^^^` under the finding, `---` under what is
 * related to it. Long lines are cut around the place, lines in between are left out.
 */

import { lineText, positionAt, type Source, type Span } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { displayWidth, visibleText } from "../words/text-width.js";
import type { Medium } from "./report.js";

export interface Label {
  readonly span: Span;
  readonly message: string;
  readonly primary: boolean;
}

/** Lines shown before and after an underlined one. */
const context = 2;
/** A label over more lines than this shows its first and last lines only. */
const tallest = 6;

/** A label's part of one line, in UTF-16 columns from 0. */
interface Mark {
  readonly from: number;
  readonly to: number;
  readonly label: Label;
  /** The last line of the label: its message stands here. */
  readonly last: boolean;
}

/** One frame for each source that is pointed into, in the order of the labels. Lines without a line end. */
export function frames(labels: readonly Label[], medium: Medium): string[] {
  const sources = [...new Set(labels.map((label) => label.span.source))];
  return sources.flatMap((source, i) =>
    frame(
      source,
      labels.filter((label) => label.span.source === source),
      i === 0 ? "-->" : ":::",
      medium,
    ),
  );
}

function frame(source: Source, labels: readonly Label[], arrow: string, medium: Medium): string[] {
  const { colors } = medium;
  const marks = marksOf(source, labels);
  const shown = linesToShow(source, marks, labels);
  const gutter = String(shown.at(-1) ?? 1).length + 1;
  const bar = colors.blue("│");
  const blank = `${" ".repeat(gutter)} ${bar}`;
  const place = labels[0] ? positionAt(source, labels[0].span.start) : { line: 1, column: 1 };
  const out = [
    `${" ".repeat(gutter)}${colors.blue(arrow)} ${visibleText(printedPath(source.path))}:${place.line}:${place.column}`,
    blank,
  ];
  let previous: number | null = null;
  for (const line of shown) {
    if (previous !== null && line > previous + 1) out.push(`${" ".repeat(gutter - 1)}${colors.blue("…")}`);
    previous = line;
    const marked = marks.get(line) ?? [];
    const window = windowOf(lineText(source, line), marked, medium.width - gutter - 4);
    const number = String(line).padStart(gutter);
    out.push(`${colors.blue(number)} ${bar} ${window.text}`.trimEnd());
    for (const mark of marked) out.push(`${blank} ${underline(mark, window, colors)}`);
  }
  out.push(blank);
  return out;
}

function marksOf(source: Source, labels: readonly Label[]): Map<number, Mark[]> {
  const marks = new Map<number, Mark[]>();
  for (const label of [...labels].sort((a, b) => Number(b.primary) - Number(a.primary))) {
    const start = positionAt(source, label.span.start);
    const end = positionAt(source, Math.max(label.span.start, label.span.end));
    // A span that ends at the start of a line covers nothing of that line.
    const lastLine = end.line > start.line && end.column === 1 ? end.line - 1 : end.line;
    for (let line = start.line; line <= lastLine; line++) {
      const text = lineText(source, line);
      const from = line === start.line ? start.column - 1 : text.length - text.trimStart().length;
      const to = line === end.line ? end.column - 1 : text.length;
      const ofLine = marks.get(line) ?? [];
      ofLine.push({ from, to: Math.max(from, to), label, last: line === lastLine });
      marks.set(line, ofLine);
      if (line === start.line + tallest - 3 && lastLine - line > 2) line = lastLine - 2;
    }
  }
  return marks;
}

function linesToShow(source: Source, marks: ReadonlyMap<number, readonly Mark[]>, labels: readonly Label[]): number[] {
  const lines = new Set(marks.keys());
  const lastLine = positionAt(source, source.text.length).line;
  for (const label of labels.filter((l) => l.primary)) {
    const first = positionAt(source, label.span.start).line;
    const last = Math.max(...[...marks].filter(([, m]) => m.some((x) => x.label === label)).map(([n]) => n), first);
    for (let line = first - context; line < first; line++) if (line >= 1) lines.add(line);
    for (let line = last + 1; line <= last + context; line++) if (line <= lastLine) lines.add(line);
  }
  return [...lines].sort((a, b) => a - b);
}

interface Window {
  readonly text: string;
  readonly line: string;
  /** UTF-16 offsets of what is shown. */
  readonly from: number;
  readonly to: number;
  /** Columns taken by the sign that something is cut off in front. */
  readonly lead: number;
}

/** The part of a line that fits, around its first mark. */
function windowOf(line: string, marks: readonly Mark[], columns: number): Window {
  const room = Math.max(40, columns);
  if (line.length <= room && displayWidth(visibleText(line)) <= room) {
    return { text: visibleText(line), line, from: 0, to: line.length, lead: 0 };
  }
  const place = marks[0]?.from ?? 0;
  const from = Math.max(0, Math.min(place - Math.floor(room / 3), line.length - room + 2));
  const to = Math.min(line.length, from + room - 2);
  const text = `${from > 0 ? "…" : ""}${visibleText(line.slice(from, to))}${to < line.length ? "…" : ""}`;
  return { text, line, from, to, lead: from > 0 ? 1 : 0 };
}

function underline(mark: Mark, window: Window, colors: Medium["colors"]): string {
  const from = Math.min(Math.max(mark.from, window.from), window.to);
  const to = Math.min(Math.max(mark.to, from), window.to);
  const indent = window.lead + displayWidth(visibleText(window.line.slice(window.from, from)));
  const width = Math.max(1, displayWidth(visibleText(window.line.slice(from, to))));
  const sign = mark.label.primary ? "^" : "-";
  const paint = mark.label.primary ? colors.red : colors.blue;
  const message = mark.last && mark.label.message ? ` ${visibleText(mark.label.message)}` : "";
  return " ".repeat(indent) + paint(sign.repeat(width) + message);
}
