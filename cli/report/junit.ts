/**
 * Findings as JUnit XML, which Jenkins, GitLab, Azure and CircleCI show beside tests: a suite for each file, a failed case for each
 * error, a case with its words printed for what does not fail the check, and one that passes for a file without findings.
 */

import { type Diagnostic, positionAt } from "../../grammar/index.js";
import { printedPath } from "../specs/files.js";
import { visibleText } from "../words/text-width.js";
import { type CheckReport, leftOut, type Reporter, written } from "./report.js";

export const junit: Reporter = (report) => {
  const { shown, left } = written(report);
  const byFile = new Map<string, Diagnostic[]>(report.files.map((file) => [file, []]));
  for (const one of shown) {
    const file = printedPath(one.span.source.path);
    const others = byFile.get(file) ?? [];
    byFile.set(file, others);
    others.push(one);
  }
  const suites = [...byFile].map(([file, findings]) => suite(file, findings, report));
  const failures = shown.filter((one) => fails(one, report)).length;
  const tests = [...byFile.values()].reduce((sum, { length }) => sum + Math.max(1, length), 0);
  const more = left > 0 ? [`  <!-- ${escaped(leftOut(left, report)).replaceAll("--", "- -")} -->`] : [];
  const seconds = (report.milliseconds / 1000).toFixed(3);
  const head = `<testsuites name="mae check" tests="${tests}" failures="${failures}" errors="0" time="${seconds}">`;
  return `${['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites, ...more, "</testsuites>"].join("\n")}\n`;
};

/** Whether a finding fails the check. */
const fails = ({ severity }: Diagnostic, { strict }: CheckReport): boolean =>
  severity === "error" || (strict && severity === "warning");

function suite(file: string, findings: readonly Diagnostic[], report: CheckReport): string {
  const failures = findings.filter((one) => fails(one, report)).length;
  const cases =
    findings.length === 0 ? [testCase("is clean", file, [])] : findings.map((one) => caseOf(one, file, report));
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0"`;
  return [`  <testsuite name="${escaped(file)}" ${counts}>`, ...cases, "  </testsuite>"].join("\n");
}

const testCase = (name: string, file: string, inner: readonly string[]): string => {
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(file)}" time="0"`;
  return inner.length === 0 ? `${head}/>` : [`${head}>`, ...inner, "    </testcase>"].join("\n");
};

function caseOf(finding: Diagnostic, file: string, report: CheckReport): string {
  const { line, column } = positionAt(finding.span.source, finding.span.start);
  const place = `${file}:${line}:${column}`;
  const words = [`${place}: ${finding.message}`, finding.reason, finding.help].filter(Boolean).join("\n");
  const inner = fails(finding, report)
    ? `      <failure type="${escaped(finding.code)}" message="${escaped(finding.message)}">${escaped(words)}</failure>`
    : `      <system-out>${escaped(`${finding.severity}: ${words}`)}</system-out>`;
  return testCase(`${finding.code} at ${line}:${column}`, file, [inner]);
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that XML can hold: without what its first version forbids, and without what a terminal would obey. */
const escaped = (text: string): string =>
  text
    .replace(/[^\n]+/g, visibleText)
    .replace(/[\uFFFE\uFFFF]|\p{Cs}/gu, "\uFFFD")
    .replace(/[&<>"]/g, (c) => entities[c] as string);
