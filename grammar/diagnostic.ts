/**
 * What is wrong with a user's text, as a value. Never thrown: every phase collects them and goes on.
 * Printing them is the business of `cli/report`.
 */

import type { Span } from "./source.js";

export type Severity = "error" | "warning" | "info";

/** A change of text that mends the finding without changing what the author meant. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
}

export interface Diagnostic {
  /** Stable, a path of words: `check/unknown-block`. Its page is `spec/diagnostics/<code>.md`. */
  readonly code: string;
  readonly severity: Severity;
  readonly span: Span;
  /** What is wrong, with the values in question. One sentence, no full stop. */
  readonly message: string;
  /** Why it matters. */
  readonly reason?: string;
  /** What to do: nearest valid values, "did you mean". */
  readonly help?: string;
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
  readonly fix?: Fix;
}

/** Findings that one phase keeps of one text: beyond it the text is no spec, and each more costs memory. */
export const mostFindings = 10_000;

/** Keeps a finding while there is room for it. */
export function keep(findings: Diagnostic[], finding: Diagnostic): void {
  if (findings.length < mostFindings) findings.push(finding);
}
