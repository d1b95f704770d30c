/**
 * `// mae-ignore lint/name: reason`: advice that somebody has thought about. On a line of its own it is about the next line of the
 * spec, at the end of a line about that line. An ignore has to be needed and explained.
 */

import { lints } from "../../blocks/index.js";
import { type Comment, commentsOf, type Diagnostic, positionAt, type Source, type Span } from "../../grammar/index.js";
import { codes } from "./codes.js";
import { nearest } from "./nearest.js";
import { finding, lineRemoval, replacement } from "./report.js";

interface Ignore {
  readonly comment: Comment;
  readonly names: readonly { readonly name: string; readonly span: Span }[];
  readonly reason: string;
  /** The line that it is about, from 1. */
  readonly line: number;
}

/** What is looked at: the text alone, or the data that it names. */
type Looked = "text" | "data";

const ofData = new Set<string>(lints.filter(({ data }) => data).map(({ code }) => code));

/** What one machine finds and another does not: whether an ignore of it is needed, the text cannot tell. */
const ofMachine: ReadonlySet<string> = new Set(["lint/missing-weights"]);

/** The codes of advice: what a text can ignore, and what a project can turn off. */
export const lintCodes: readonly string[] = [
  ...Object.keys(codes).filter((code) => code.startsWith("lint/")),
  ...lints.map(({ code }) => code),
];

/** Findings without those that the text ignores, and what is wrong with its ignores. */
export function withIgnores(
  source: Source,
  findings: readonly Diagnostic[],
  looked: Looked = "text",
): readonly Diagnostic[] {
  const ignores = ignoresOf(source);
  if (ignores.length === 0) return findings;
  const used = new Set<string>();
  const left = findings.filter((one) => {
    if (one.severity === "error" || one.span.source !== source) return true;
    const { line } = positionAt(source, one.span.start);
    const ignore = ignores.find((each) => each.line === line && each.names.some(({ name }) => name === one.code));
    if (ignore) used.add(keyOf(ignore, one.code));
    return !ignore;
  });
  // Where something is broken, advice is missing that may come back.
  const isWhole = findings.every(({ severity }) => severity !== "error");
  return [...left, ...ignores.flatMap((ignore) => faultsOf(ignore, used, isWhole, looked))];
}

const keyOf = ({ line }: Ignore, code: string): string => `${line} ${code}`;

const shape = /^\/\/\s*mae-ignore\b\s*([^:]*)(?::(.*))?$/;

function ignoresOf(source: Source): readonly Ignore[] {
  if (!source.text.includes("mae-ignore")) return [];
  return commentsOf(source).flatMap((comment): readonly Ignore[] => {
    const match = comment.kind === "line" ? shape.exec(comment.text.trimEnd()) : null;
    if (!match) return [];
    const [, names = "", reason = ""] = match;
    const start = comment.span.start + comment.text.indexOf(names, comment.text.indexOf("mae-ignore") + 10);
    const found = Array.from(names.matchAll(/[^\s,]+/g), ({ 0: name, index }) => ({
      name,
      span: { source, start: start + index, end: start + index + name.length },
    }));
    return [{ comment, names: found, reason: reason.trim(), line: lineOf(comment) }];
  });
}

/** The comment's own line, or the next with more than comments. */
function lineOf({ span, ownLine }: Comment): number {
  const { line } = positionAt(span.source, span.start);
  if (!ownLine) return line;
  const following = span.source.text.slice(span.end).split(/\r\n|\r|\n/);
  const at = following.findIndex((text, i) => i > 0 && !/^\s*(?:\/\/.*)?$/.test(text));
  return at < 0 ? line : line + at;
}

function faultsOf(ignore: Ignore, used: ReadonlySet<string>, isWhole: boolean, looked: Looked): readonly Diagnostic[] {
  const { comment, names, reason } = ignore;
  const faults: Diagnostic[] = [];
  if (looked === "text" && (names.length === 0 || reason === "")) {
    const message = names.length === 0 ? "the comment names no lint" : "the comment does not say why";
    const help = "write `// mae-ignore lint/name: reason`";
    faults.push(finding("warning", "lint/unexplained-ignore", comment.span, message, { help }));
  }
  for (const { name, span } of names) {
    if (!lintCodes.includes(name)) {
      if (looked === "text") faults.push(unknown(name, span));
    } else if (isWhole && isJudged(name, looked) && !used.has(keyOf(ignore, name))) faults.push(unused(name, ignore));
  }
  return faults;
}

const isJudged = (name: string, looked: Looked): boolean =>
  ofData.has(name) === (looked === "data") && !ofMachine.has(name);

function unknown(name: string, span: Span): Diagnostic {
  const meant = nearest(name, lintCodes);
  return finding("warning", "lint/unknown-ignore", span, `there is no lint \`${name}\``, {
    help: meant ? `did you mean \`${meant}\`?` : "only advice can be ignored: codes that begin with `lint/`",
    fix: meant ? replacement(span, meant) : undefined,
  });
}

function unused(name: string, { comment, names, line }: Ignore): Diagnostic {
  const message = `line ${line} gives no \`${name}\`, so nothing is ignored`;
  return finding(
    "warning",
    "lint/unused-ignore",
    names.find((one) => one.name === name)?.span ?? comment.span,
    message,
    {
      help: "remove the comment, or move it to the line that is meant",
      fix: names.length === 1 ? lineRemoval(comment.span, "Remove the comment") : undefined,
    },
  );
}
