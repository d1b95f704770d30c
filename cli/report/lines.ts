/** Findings in few words: a line each for editors and grep, or a table in Markdown for comments and summaries of jobs. */

import { type Diagnostic, positionAt } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { count } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import { type CheckReport, leftOut, passes, type Reporter, tally, written } from "./report.js";

function placeOf({ span }: Diagnostic): string {
  const { line, column } = positionAt(span.source, span.start);
  return `${printedPath(span.source.path)}:${line}:${column}`;
}

/** `model.mae:6:25: warning: 3 of 196 patches are visible [lint/extreme-ratio]`: the form of compilers. */
export const compact: Reporter = (report) => {
  const { shown, left } = written(report);
  const lines = shown.map((one) => `${placeOf(one)}: ${one.severity}: ${one.message} [${one.code}]`);
  return [...lines, ...(left > 0 ? [leftOut(left, report)] : [])].map((line) => `${oneLine(line)}\n`).join("");
};

const oneLine = (text: string): string => visibleText(text.replace(/\s*[\r\n]+\s*/g, " "));

export const markdown: Reporter = (report) => {
  const { shown, left } = written(report);
  const rows = shown.map((one) => {
    const words = [one.message, one.help].filter(Boolean).map((text) => cell(text as string));
    return `| ${one.severity} | \`${cell(placeOf(one)).replaceAll("`", "'")}\` | ${words.join("<br>")} | \`${one.code}\` |`;
  });
  const table = rows.length === 0 ? [] : ["", "| | where | what | code |", "| --- | --- | --- | --- |", ...rows];
  return `${[heading(report), ...table, ...(left > 0 ? ["", leftOut(left, report)] : [])].join("\n")}\n`;
};

function heading(report: CheckReport): string {
  const { errors, warnings } = tally(report.diagnostics);
  const found = [errors > 0 ? count(errors, "error") : "", warnings > 0 ? count(warnings, "warning") : ""].filter(
    Boolean,
  );
  const what = found.length === 0 ? "no errors" : found.join(", ");
  return `### ${passes(report) ? "✅" : "❌"} mae check: ${what} in ${count(report.files.length, "file")}`;
}

/** Text of a cell: no line break, no column, no tag, link or image of whoever wrote the spec. Code stays code. */
const cell = (text: string): string =>
  oneLine(text)
    .split(/(`[^`]*`)/)
    .map((part, i) => {
      const plain = part.replaceAll("|", "\\|");
      return i % 2 === 1
        ? plain
        : plain.replace(/[\\*_[\]<>!#@`~]/g, (c) => (c === "\\" ? c : `\\${c}`)).replaceAll("\\<", "&lt;");
    })
    .join("");
