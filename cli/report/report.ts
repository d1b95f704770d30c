/** What every reporter is given, and the order in which findings stand. Reporters are functions from this to text. */

import type { Diagnostic, Severity } from "../../grammar/index.js";
import { type Colors, count } from "../words/terminal.js";

export interface CheckReport {
  /** Of maelang. */
  readonly version: string;
  /** Paths of the files that were checked, as they are printed. */
  readonly files: readonly string[];
  /** In printing order, each once. */
  readonly diagnostics: readonly Diagnostic[];
  /** How many of them a reporter may write; null: as many as its readers take. */
  readonly limit: number | null;
  /** Warnings count as errors. */
  readonly strict: boolean;
  /** Fixes that were applied before this report. */
  readonly fixed: number;
  readonly milliseconds: number;
}

/** Where the text goes. */
export interface Medium {
  readonly colors: Colors;
  /** Columns; frames are cut to it. */
  readonly width: number;
}

export type Reporter = (report: CheckReport, medium: Medium) => string;

export interface Tally {
  readonly errors: number;
  readonly warnings: number;
}

export function tally(diagnostics: readonly Diagnostic[]): Tally {
  const of = (severity: Severity) => diagnostics.filter((d) => d.severity === severity).length;
  return { errors: of("error"), warnings: of("warning") };
}

/** Findings that scripts and code scanning take where nothing else is asked for. */
export const mostForMachines = 1000;

/** The findings that a reporter writes, and how many it leaves out. */
export function written({ diagnostics, limit }: CheckReport, habit = mostForMachines) {
  const shown = diagnostics.slice(0, limit ?? habit);
  return { shown, left: diagnostics.length - shown.length };
}

/** Said where findings are left out. */
export const leftOut = (left: number, { diagnostics }: CheckReport): string =>
  `${count(left, "more finding")} not shown; --max-diagnostics ${diagnostics.length} shows all`;

/** Whether the checked files pass. */
export function passes(report: CheckReport): boolean {
  const { errors, warnings } = tally(report.diagnostics);
  return errors === 0 && !(report.strict && warnings > 0);
}

const key = (d: Diagnostic): string => [d.span.source.path, d.span.start, d.span.end, d.code, d.message].join("\u0000");

/** Each finding once (a file and its importer both report it), by file, then by place. */
export function arrange(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const once = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) if (!once.has(key(diagnostic))) once.set(key(diagnostic), diagnostic);
  return [...once.values()]
    .map(shortened)
    .sort(
      (a, b) =>
        compareText(a.span.source.path, b.span.source.path) ||
        a.span.start - b.span.start ||
        a.span.end - b.span.end ||
        compareText(a.code, b.code),
    );
}

/** The same order on every machine, whatever its locale. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Longer words have a name or a text of the user in them that nobody would read to its end. */
const longestWords = 1000;

function shortened(diagnostic: Diagnostic): Diagnostic {
  const { message, reason = "", help = "" } = diagnostic;
  if (Math.max(message.length, reason.length, help.length) <= longestWords) return diagnostic;
  return { ...diagnostic, message: cut(message), reason: cut(reason), help: cut(help) };
}

const cut = (words: string): string => (words.length > longestWords ? `${words.slice(0, longestWords)}…` : words);
