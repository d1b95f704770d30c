/**
 * `--fix`: applies the fixes of findings one at a time, each only when the text still parses as well as before and the
 * finding is gone. A file is written once, as a whole, after its last fix.
 */

import type { Host } from "../../compiler/index.js";
import type { Diagnostic, Fix } from "../../grammar/index.js";
import { applyEdits, disjoint } from "../report/index.js";
import { checkSpec, type SpecFile } from "./analysis.js";
import { readSpec, rewriteFile } from "./files.js";

/** No file has this many mistakes; fixes that undo each other must come to an end. */
const mostFixes = 1000;

/**
 * Mends the files on disk; gives how many fixes were applied.
 * @param here what is known of weights that specs start from
 */
export function applyFixes(files: readonly SpecFile[], here: Pick<Host, "weights">): number {
  let applied = 0;
  for (const file of files) {
    const reading = readSpec(file.path);
    if (!reading.ok) continue;
    const mended = mend(file, reading.text, here);
    if (mended.applied > 0) rewriteFile(file.path, mended.text);
    applied += mended.applied;
  }
  return applied;
}

interface Mended {
  readonly text: string;
  readonly applied: number;
}

function mend({ path, vocabulary }: SpecFile, original: string, here: Pick<Host, "weights">): Mended {
  const findingsOf = (text: string) => checkSpec({ path, given: { ok: true, text }, vocabulary }, here).diagnostics;
  let text = original;
  let findings = findingsOf(text);
  let applied = 0;
  const refused = new Set<string>();
  while (applied < mostFixes) {
    const next = findings.find((finding) => isFixable(finding, path) && !refused.has(nameOf(finding)));
    if (!next?.fix) break;
    const tried = applyEdits(text, next.fix.edits);
    const left = findingsOf(tried);
    if (syntaxErrors(left) <= syntaxErrors(findings) && alike(left, next) < alike(findings, next)) {
      text = tried;
      findings = left;
      applied++;
    } else refused.add(nameOf(next));
  }
  return { text, applied };
}

const isFixable = ({ fix }: Diagnostic, path: string): boolean =>
  fix !== undefined && fix.edits.length > 0 && isLocal(fix, path) && disjoint(fix.edits);

const isLocal = (fix: Fix, path: string): boolean => fix.edits.every((edit) => edit.span.source.path === path);

const nameOf = ({ code, message }: Diagnostic): string => `${code} ${message}`;

const alike = (findings: readonly Diagnostic[], one: Diagnostic): number =>
  findings.filter((finding) => nameOf(finding) === nameOf(one)).length;

const syntaxErrors = (findings: readonly Diagnostic[]): number =>
  findings.filter((finding) => finding.code.startsWith("parse/")).length;
