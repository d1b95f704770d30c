/** What every reporter is given, and the order in which findings stand. Reporters are functions from this to text. */

import type { Diagnostic, Severity } from "../../grammar/index.js";
import type { Colors } from "../terminal.js";

export interface CheckReport {
  /** Of maelang. */
  readonly version: string;
  /** Paths of the files that were checked, as they are printed. */
  readonly files: readonly string[];
  /** In printing order, each once. */
  readonly diagnostics: readonly Diagnostic[];
  /** How many of them a reporter may write; null: its own habit. */
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
  return [...once.values()].sort(
    (a, b) =>
      compareText(a.span.source.path, b.span.source.path) ||
      a.span.start - b.span.start ||
      a.span.end - b.span.end ||
      compareText(a.code, b.code),
  );
}

/** The same order on every machine, whatever its locale. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
