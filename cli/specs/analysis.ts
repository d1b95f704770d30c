/** From paths to findings and models: reads specs, gives the compiler what they import, and keeps what it says. */

import { existsSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { type Analysis, type Host, sourceFor } from "../../compiler/index.js";
import { type Diagnostic, lineText, positionAt, type Source, type Span } from "../../grammar/index.js";
import { analyzeWith, configFile, type Vocabulary, weighed } from "../config/index.js";
import { visibleText } from "../words/text-width.js";
import { printedPath, type Reading, type ReadProblem, readSpec, staysIn } from "./files.js";

/** A spec to look at: a path, and its text where that does not come from the disk. */
export interface SpecFile {
  readonly path: string;
  readonly given: Pick<Reading & { ok: true }, "ok" | "text"> | (Reading & { ok: false }) | null;
  /** The blocks that it can use. */
  readonly vocabulary: Vocabulary;
}

/** Texts that an editor has open, by the paths that the compiler knows them by: they stand for those on the disk. */
export type OpenTexts = ReadonlyMap<string, string>;

/** Files whose text is kept as it was read last: those that are imported often are among the last that were asked for. */
const mostKept = 128;

/** The sources of this process. */
const sources = new (class extends Map<string, Source> {
  override get(path: string): Source | undefined {
    const source = super.get(path);
    if (source) this.set(path, source);
    return source;
  }

  override set(path: string, source: Source): this {
    this.delete(path);
    super.set(path, source);
    const [oldest] = this.keys();
    if (this.size > mostKept && oldest !== undefined) this.delete(oldest);
    return this;
  }
})();

/** A spec after checking. */
export interface CheckedSpec {
  readonly file: SpecFile;
  /** null: it could not be read. */
  readonly analysis: Analysis | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Checks one spec; a file that cannot be read is a finding like any other.
 * @param more what else the compiler may know
 */
export function checkSpec(file: SpecFile, more: Pick<Host, "weights"> = {}): CheckedSpec {
  const reading = file.given ?? readSpec(file.path);
  if (!reading.ok) return { file, analysis: null, diagnostics: [unreadable(file.path, reading.problem)] };
  const source = sourceFor(file.path, reading.text, { sources });
  const analysis = analyzeText(source, file.vocabulary, { ...hostFor(file.path), ...more });
  return { file, analysis, diagnostics: certainOf(analysis.diagnostics, file.vocabulary) };
}

/** A block may be unknown only because its file could not be loaded, which is said already. */
export const certainOf = (diagnostics: readonly Diagnostic[], { findings }: Vocabulary): readonly Diagnostic[] =>
  findings.length > 0 ? diagnostics.filter(({ code }) => code !== "check/unknown-block") : diagnostics;

/** What is wrong with the projects that specs belong to, each once. */
export const projectFindings = (files: readonly SpecFile[]): readonly Diagnostic[] => [
  ...new Set(files.map(({ vocabulary }) => vocabulary).flatMap(({ findings }) => findings)),
];

/** The checked models and recipes of a text, with everything that is wrong. */
export function analyzeText(source: Source, vocabulary: Vocabulary, host: Host = hostFor(source.path)): Analysis {
  const analysis = analyzeWith(source, host, vocabulary);
  return { ...analysis, diagnostics: weighed(analysis.diagnostics, vocabulary) };
}

/** Imports are read from the disk where they are not open, below the project's root. */
export function hostFor(path: string, open: OpenTexts = new Map()): Host {
  const root = isAbsolute(path) ? projectRoot(dirname(path)) : null;
  const folder = realpathSync(root ?? ".");
  return {
    sources,
    leadsOutside: (imported) => !staysIn(folder, imported),
    readText(imported) {
      const text = open.get(imported);
      if (text !== undefined) return text;
      if (!staysIn(folder, imported)) return null;
      const reading = readSpec(imported);
      return reading.ok ? reading.text : null;
    },
    ...(root === null ? {} : { root: root.replaceAll("\\", "/") }),
  };
}

/** For a spec outside the working folder: the nearest folder above it that looks like a project, or its own. */
function projectRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if ([".git", "package.json", configFile].some((name) => existsSync(join(at, name)))) return at;
    if (dirname(at) === at) return folder;
  }
}

export function unreadable(path: string, problem: ReadProblem): Diagnostic {
  const span = { source: { path, text: "" }, start: 0, end: 0 };
  return { code: problem.code, severity: "error", span, message: problem.message, help: problem.help };
}

/** `digits.mae:15: decoder vit(depth: 2, width: 48, heads: 4)`: the line of a text where a span begins. */
export function lineAt(span: Span | null): string | null {
  if (span === null) return null;
  const { line } = positionAt(span.source, span.start);
  return `${printedPath(span.source.path)}:${line}: ${visibleText(lineText(span.source, line).trim().slice(0, 80))}`;
}
