/** Findings as a Code Quality report of GitLab, which shows them in the changes of a merge request. */

import { createHash } from "node:crypto";
import { type Diagnostic, positionAt, type Severity } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { jsonText } from "../words/terminal.js";
import { type Reporter, written } from "./report.js";

const severities: Readonly<Record<Severity, string>> = { error: "critical", warning: "minor", info: "info" };

export const gitlab: Reporter = (report) => {
  const seen = new Map<string, number>();
  return `${jsonText(written(report).shown.map((finding) => entry(finding, seen)))}\n`;
};

function entry(finding: Diagnostic, seen: Map<string, number>) {
  const { source, start, end } = finding.span;
  const path = printedPath(source.path);
  // Of the words and not of the line: a finding stays the same where lines are added above it.
  const content = JSON.stringify([path, finding.code, finding.message, source.text.slice(start, end)]);
  const before = seen.get(content) ?? 0;
  seen.set(content, before + 1);
  return {
    description: [finding.message, finding.help].filter(Boolean).join("; "),
    check_name: finding.code,
    fingerprint: createHash("sha256").update(`${content} ${before}`).digest("hex"),
    severity: severities[finding.severity],
    location: { path, lines: { begin: positionAt(source, start).line, end: positionAt(source, end).line } },
  };
}
