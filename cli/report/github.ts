/**
 * Findings as workflow commands, which GitHub Actions shows at the lines of a pull request.
 * Format: docs.github.com, "Workflow commands for GitHub Actions", setting an error message.
 */

import { type Diagnostic, positionAt, type Severity } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { visibleText } from "../words/text-width.js";
import { leftOut, type Reporter, written } from "./report.js";

const command: Record<Severity, string> = { error: "error", warning: "warning", info: "notice" };

export const github: Reporter = (report) => {
  const { shown, left } = written(report);
  const more = left > 0 ? [`::notice::${escapeData(leftOut(left, report))}`] : [];
  return [...shown.map(annotation), ...more].map((line) => `${line}\n`).join("");
};

function annotation(diagnostic: Diagnostic): string {
  const start = positionAt(diagnostic.span.source, diagnostic.span.start);
  const end = positionAt(diagnostic.span.source, diagnostic.span.end);
  const oneLine = start.line === end.line;
  const properties = {
    file: printedPath(diagnostic.span.source.path),
    line: start.line,
    endLine: end.line,
    // GitHub takes columns only within one line.
    ...(oneLine ? { col: start.column, endColumn: end.column } : {}),
    title: diagnostic.code,
  };
  const listed = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  const text = [diagnostic.message, diagnostic.reason, diagnostic.help].filter(Boolean).join("\n");
  return `::${command[diagnostic.severity]} ${listed.join(",")}::${escapeData(text)}`;
}

/** Line ends have escapes of GitHub's; what else a terminal would obey is made visible, since the log is shown in one. */
const escapeData = (text: string): string =>
  text
    .replaceAll("%", "%25")
    .replace(/[^\r\n]+/g, visibleText)
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A");

const escapeProperty = (text: string): string => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
