/** Findings for people: what is wrong, where, why it matters, what to do, and what a fix would change. */

import { type Diagnostic, type Fix, lineText, positionAt, type Severity } from "../../grammar/index.js";
import { count } from "../words/terminal.js";
import { visibleLines, visibleText } from "../words/text-width.js";
import { applyEdits } from "./edits.js";
import { frames, type Label } from "./frame.js";
import { type CheckReport, leftOut, type Medium, passes, type Reporter, tally, written } from "./report.js";

/** More than this scrolls away what matters. */
const mostForPeople = 50;

export const pretty: Reporter = (report, medium) => {
  const { shown, left } = written(report, mostForPeople);
  const blocks = shown.map((d) => describe(d, medium));
  if (left > 0) blocks.push(leftOut(left, report));
  return `${[...blocks, summary(report, medium)].join("\n\n")}\n`;
};

/** One finding as a block of lines. */
export function describe(diagnostic: Diagnostic, medium: Medium): string {
  const { colors } = medium;
  const head = `${paint(diagnostic.severity, medium)(colors.bold(`${diagnostic.severity}[${diagnostic.code}]`))}${colors.bold(`: ${visibleText(diagnostic.message)}`)}`;
  const labels: Label[] = [
    { span: diagnostic.span, message: "", primary: true },
    ...(diagnostic.related ?? []).map((r) => ({ ...r, primary: false })),
  ];
  const notes = [
    ...note("why", diagnostic.reason, medium),
    ...note("help", diagnostic.help, medium),
    ...(diagnostic.fix ? preview(diagnostic.fix, medium) : []),
    ...note("more", `mae explain ${diagnostic.code}`, medium),
  ];
  return [head, ...frames(labels, medium), ...notes].join("\n");
}

function paint(severity: Severity, { colors }: Medium): (text: string) => string {
  return { error: colors.red, warning: colors.yellow, info: colors.cyan }[severity];
}

/** `  = help: text`, further lines indented below it. */
function note(word: string, text: string | undefined, { colors }: Medium): string[] {
  if (!text) return [];
  const [first = "", ...rest] = visibleLines(text).split("\n");
  return [`  ${colors.blue("=")} ${colors.bold(`${word}:`)} ${first}`, ...rest.map((line) => `    ${line}`)];
}

/** The lines that a fix would change, before and after. */
function preview(fix: Fix, medium: Medium): string[] {
  const { colors } = medium;
  const title = note("fix", `${fix.title} (mae check --fix)`, medium);
  const source = fix.edits[0]?.span.source;
  if (!source || fix.edits.some((edit) => edit.span.source !== source)) return title;
  const first = positionAt(source, Math.min(...fix.edits.map((e) => e.span.start))).line;
  const last = positionAt(source, Math.max(...fix.edits.map((e) => e.span.end))).line;
  const before = Array.from({ length: last - first + 1 }, (_, i) => lineText(source, first + i));
  const after = applyEdits(source.text, fix.edits).split(/\r\n|\r|\n/);
  const grown = after.length - positionAt(source, source.text.length).line;
  const [gone, come] = differing(before, after.slice(first - 1, last + grown));
  if (gone.length + come.length > 12 || [...gone, ...come].some((line) => line.length > 500)) return title;
  return [
    ...title,
    ...gone.map((line) => colors.red(`      - ${visibleText(line)}`.trimEnd())),
    ...come.map((line) => colors.green(`      + ${visibleText(line)}`.trimEnd())),
  ];
}

type Lines = readonly string[];

/** Both without the lines that they begin and end with alike: a removed line takes no neighbour along. */
function differing(before: Lines, after: Lines): readonly [Lines, Lines] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
}

function summary(report: CheckReport, { colors }: Medium): string {
  const { errors, warnings } = tally(report.diagnostics);
  const verdict = passes(report) ? colors.green("✓") : colors.red("✗");
  const parts = [
    errors > 0 ? colors.red(count(errors, "error")) : "no errors",
    ...(warnings > 0 ? [colors.yellow(count(warnings, "warning"))] : []),
    ...(report.fixed > 0 ? [colors.green(`${report.fixed} fixed`)] : []),
  ];
  return `${verdict} ${count(report.files.length, "file")} checked in ${report.milliseconds.toFixed(0)} ms: ${parts.join(", ")}`;
}
