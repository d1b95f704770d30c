/** Findings as text made for reading, and fixes applied. */

import { type Diagnostic, positionAt, type Span } from "../../../grammar/index.js";

/** `7:11 "randm"`, with the file where it is not the input. */
function place({ source, start, end }: Span): string {
  const { line, column } = positionAt(source, start);
  const written = source.text.slice(start, end).replace(/\s+/g, " ");
  const short = written.length > 50 ? `${written.slice(0, 47)}...` : written;
  return `${source.path === "input.mae" ? "" : `${source.path}:`}${line}:${column} ${JSON.stringify(short)}`;
}

const showEdit = ({ span, text }: { readonly span: Span; readonly text: string }): string =>
  `${place(span)} -> ${JSON.stringify(text)}`;

export function showDiagnostic({ code, severity, span, message, reason, help, related, fix }: Diagnostic): string {
  return [
    `${severity} ${code} at ${place(span)}`,
    `  ${message}`,
    ...(reason ? [`  why:  ${reason}`] : []),
    ...(help ? [`  help: ${help}`] : []),
    ...(related ?? []).map((other) => `  see:  ${place(other.span)}: ${other.message}`),
    ...(fix ? [`  fix:  ${fix.title}: ${fix.edits.map(showEdit).join(", ")}`] : []),
  ].join("\n");
}

/** The text with the edits of a fix made. */
export function applied(text: string, fix: NonNullable<Diagnostic["fix"]>): string {
  const edits = [...fix.edits].sort((a, b) => b.span.start - a.span.start);
  return edits.reduce((done, { span, text: put }) => done.slice(0, span.start) + put + done.slice(span.end), text);
}
