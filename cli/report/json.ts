/**
 * Findings for scripts. The document's shape is versioned: a new field raises the minor number, a changed or removed
 * one the major. Documented in `docs/cli.md`.
 */

import { type Diagnostic, positionAt, type Span } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { jsonText } from "../words/terminal.js";
import { type CheckReport, passes, type Reporter, tally, written } from "./report.js";

export const json: Reporter = (report) => `${jsonText(document(report))}\n`;

function document(report: CheckReport) {
  const { errors, warnings } = tally(report.diagnostics);
  const { shown, left } = written(report);
  return {
    format_version: "1.0",
    generator: { name: "maelang", version: report.version },
    valid: passes(report),
    error_count: errors,
    warning_count: warnings,
    /** Findings that --max-diagnostics left out. */
    omitted_count: left,
    fixed_count: report.fixed,
    files: report.files,
    diagnostics: shown.map(finding),
  };
}

/** One finding; absent fields are null, so that every finding has the same keys. */
export function finding(diagnostic: Diagnostic) {
  return {
    severity: diagnostic.severity,
    code: diagnostic.code,
    message: diagnostic.message,
    reason: diagnostic.reason ?? null,
    help: diagnostic.help ?? null,
    ...place(diagnostic.span),
    related: (diagnostic.related ?? []).map((r) => ({ message: r.message, ...place(r.span) })),
    fix: diagnostic.fix
      ? {
          title: diagnostic.fix.title,
          edits: diagnostic.fix.edits.map((e) => ({ ...place(e.span), text: e.text })),
        }
      : null,
  };
}

function place(span: Span) {
  return { path: printedPath(span.source.path), range: { start: point(span, span.start), end: point(span, span.end) } };
}

/** Lines and columns from 1, offsets from 0; columns and offsets in UTF-16 code units. */
function point(span: Span, offset: number) {
  return { ...positionAt(span.source, offset), offset };
}
