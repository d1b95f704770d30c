/** Making diagnostics: the one place where findings of the checker get their form. */

import { type Diagnostic, type Fix, positionAt, type Severity, type Span } from "../../grammar/index.js";
import { type Code, codes } from "./codes.js";

export type Report = (diagnostic: Diagnostic) => void;

/** What a finding says beside its message. */
export interface Words {
  /** If absent, what is always said of the code. */
  readonly reason?: string | undefined;
  readonly help?: string | undefined;
  readonly related?: Diagnostic["related"];
  readonly fix?: Fix | undefined;
}

/** A diagnostic without its empty parts, with the reason of its code. */
export function finding(
  severity: Severity,
  code: Code | `lint/${string}` | `${string}/${string}/${string}`,
  span: Span,
  message: string,
  words: Words,
): Diagnostic {
  const reason = words.reason ?? (Object.hasOwn(codes, code) ? codes[code as Code] : undefined);
  return {
    code,
    severity,
    span,
    message,
    ...(reason ? { reason } : {}),
    ...(words.help ? { help: words.help } : {}),
    ...(words.related?.length ? { related: words.related.map(({ span, message }) => ({ span, message })) } : {}),
    ...(words.fix ? { fix: words.fix } : {}),
  };
}

/** Reports an error. Gives null, the value of what could not be read. */
export function fail(report: Report, code: Code, span: Span, message: string, words: Words): null {
  report(finding("error", code, span, message, words));
  return null;
}

export function warn(report: Report, code: Code, span: Span, message: string, words: Words): void {
  report(finding("warning", code, span, message, words));
}

/** Passes findings on and counts the errors among them. */
export function counted(report: Report): { readonly report: Report; readonly errors: () => number } {
  let errors = 0;
  return {
    report(diagnostic) {
      if (diagnostic.severity === "error") errors++;
      report(diagnostic);
    },
    errors: () => errors,
  };
}

/** Text put in the place of a span. */
export const replacement = (span: Span, text: string, title = `Write \`${text}\``): Fix => ({
  title,
  edits: [{ span, text }],
});

/** A cut of whole lines: from the start of the first line to the end of the last, its line break included. */
export function lineRemoval(span: Span, title: string): Fix {
  const { text } = span.source;
  const start = span.start - positionAt(span.source, span.start).column + 1;
  const rest = /^[^\S\r\n]*(\r\n|\r|\n)?/.exec(text.slice(span.end)) as RegExpExecArray;
  const alone =
    text.slice(start, span.start).trim() === "" && (rest[1] !== undefined || span.end + rest[0].length === text.length);
  const edit = alone ? { source: span.source, start, end: span.end + rest[0].length } : span;
  return { title, edits: [{ span: edit, text: "" }] };
}

/** The written text of a span, on one line and not too long. */
export function excerpt(span: Span): string {
  const written = span.source.text.slice(span.start, span.end).replace(/\s+/g, " ");
  return written.length > 40 ? `${written.slice(0, 37)}...` : written;
}

/** Each finding once, in the order of the files given, then of the text. */
export function inOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  const key = (d: Diagnostic): string => [d.span.source.path, d.span.start, d.span.end, d.code, d.message].join("\n");
  const unique = diagnostics.filter((d) => !seen.has(key(d)) && seen.add(key(d)));
  const places = new Map(files.map((path, i) => [path, i]));
  const place = (d: Diagnostic): number => places.get(d.span.source.path) ?? -1;
  return unique.sort((a, b) => place(a) - place(b) || a.span.start - b.span.start || a.span.end - b.span.end);
}
