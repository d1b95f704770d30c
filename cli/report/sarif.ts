/**
 * Findings as SARIF 2.1.0 (OASIS standard), for GitHub code scanning and other viewers. Nothing in it depends on the
 * machine or the clock: the same files give the same document.
 */

import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Diagnostic, type Fix, positionAt, type Severity, type Source, type Span } from "../../grammar/index.js";
import { pageOf } from "../words/pages.js";
import { jsonText } from "../words/terminal.js";
import { type CheckReport, leftOut, type Reporter, written } from "./report.js";

const level: Record<Severity, "error" | "warning" | "note"> = { error: "error", warning: "warning", info: "note" };

export const sarif: Reporter = (report) => `${jsonText(log(report))}\n`;

function log(report: CheckReport) {
  const { shown, left } = written(report);
  const codes = [...new Set(shown.map((d) => d.code))].sort();
  const notes =
    left > 0 ? { toolExecutionNotifications: [{ level: "note", message: { text: leftOut(left, report) } }] } : {};
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "maelang",
            semanticVersion: report.version,
            rules: codes.map((code) => rule(code, shown)),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: {
          "%SRCROOT%": { description: { text: "The folder in which mae check ran." } },
        },
        artifacts: report.files.map((path) => ({ location: location(path), sourceLanguage: "mae" })),
        invocations: [{ executionSuccessful: true, ...notes }],
        results: shown.map((d) => result(d, codes)),
      },
    ],
  };
}

function rule(code: string, diagnostics: readonly Diagnostic[]) {
  const page = pageOf(code);
  const severity = diagnostics.find((d) => d.code === code)?.severity ?? "error";
  return {
    id: code,
    shortDescription: { text: page?.title ?? code },
    ...(page ? { help: { text: page.text, markdown: page.text } } : {}),
    defaultConfiguration: { level: level[severity] },
    properties: { tags: ["maelang", ...code.split("/").slice(0, 1)] },
  };
}

function result(diagnostic: Diagnostic, codes: readonly string[]) {
  const related = diagnostic.related ?? [];
  return {
    ruleId: diagnostic.code,
    ruleIndex: codes.indexOf(diagnostic.code),
    level: level[diagnostic.severity],
    message: { text: [diagnostic.message, diagnostic.reason, diagnostic.help].filter(Boolean).join("\n") },
    locations: [{ physicalLocation: physical(diagnostic.span) }],
    ...(related.length > 0
      ? {
          relatedLocations: related.map((r, id) => ({
            id,
            physicalLocation: physical(r.span),
            message: { text: r.message },
          })),
        }
      : {}),
    ...(diagnostic.fix ? { fixes: [fix(diagnostic.fix)] } : {}),
  };
}

function fix({ title, edits }: Fix) {
  const sources = [...new Set(edits.map((edit) => edit.span.source))];
  return {
    description: { text: title },
    artifactChanges: sources.map((source: Source) => ({
      artifactLocation: location(source.path),
      replacements: edits
        .filter((edit) => edit.span.source === source)
        .map((edit) => ({
          deletedRegion: region(edit.span),
          ...(edit.text === "" ? {} : { insertedContent: { text: edit.text } }),
        })),
    })),
  };
}

const physical = (span: Span) => ({ artifactLocation: location(span.source.path), region: region(span) });

function region(span: Span) {
  const start = positionAt(span.source, span.start);
  const end = positionAt(span.source, span.end);
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    endColumn: end.column,
    charOffset: span.start,
    charLength: span.end - span.start,
  };
}

/** Relative below the working folder; a relative reference may not climb out of its base, so others are absolute. */
function location(path: string) {
  if (isAbsolute(path) || path.startsWith("../")) return { uri: pathToFileURL(resolve(path)).href };
  return { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}
