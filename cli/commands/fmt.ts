/** `mae fmt`: the one format, printed, checked or written in place. */

import { type Diagnostic, format } from "../../grammar/index.js";
import { describe } from "../report/index.js";
import { endWith, streams } from "../session.js";
import { unreadable } from "../specs/analysis.js";
import { findSpecs, printedPath, type Reading, readSpec, readStdin, rewriteFile, specPath } from "../specs/files.js";
import { exitCode, usageFailure } from "../words/failure.js";
import { type Colors, count, print, printExact, stderrColors, tell } from "../words/terminal.js";

export interface FmtOptions {
  readonly check?: boolean;
  readonly write?: boolean;
  readonly stdinPath?: string;
}

interface Formatted {
  readonly path: string;
  /** null: the file could not be read. */
  readonly text: string | null;
  readonly changed: boolean;
  /** What stands in the way of reading or parsing it; what could be read is formatted all the same. */
  readonly findings: readonly Diagnostic[];
}

export async function fmt(paths: readonly string[], options: FmtOptions): Promise<void> {
  if (paths.includes("-")) return formatStdin(paths, options);
  if (options.stdinPath !== undefined) throw usageFailure("--stdin-path needs the path -", { help: "mae fmt -" });
  if (!options.check && !options.write) return printOne(paths);
  const results = (await findSpecs(paths)).map((path) => formatReading(path, readSpec(path)));
  reportFindings(results);
  const changed = results.filter((result) => result.changed);
  for (const result of changed) {
    print(`${printedPath(result.path)}\n`);
    if (options.write && result.text !== null) rewriteFile(result.path, result.text);
  }
  if (options.check && changed.length > 0) endWith(exitCode.findings);
  tell(closing(results, changed.length, options, stderrColors()));
}

async function formatStdin(paths: readonly string[], options: FmtOptions): Promise<void> {
  if (paths.length > 1) throw usageFailure("stdin cannot be formatted together with other paths");
  if (options.write) throw usageFailure("--write has no file to write when the text comes from stdin");
  const path = options.stdinPath === undefined ? "<stdin>" : specPath(options.stdinPath);
  finishOne(formatReading(path, await readStdin()), options);
}

const whatOthersDo =
  "mae fmt --write formats files and folders in place, mae fmt --check lists what is not formatted, mae fmt FILE prints";

function printOne(paths: readonly string[]): void {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) {
    throw usageFailure("without --check or --write, mae fmt prints one file", { help: whatOthersDo });
  }
  const reading = readSpec(path);
  if (!reading.ok && (reading.problem.code === "file/missing" || reading.problem.code === "file/not-a-file")) {
    const help = reading.problem.code === "file/missing" ? reading.problem.help : whatOthersDo;
    throw usageFailure(reading.problem.message, { help });
  }
  finishOne(formatReading(specPath(path), reading), {});
}

function finishOne(result: Formatted, options: FmtOptions): void {
  reportFindings([result]);
  if (!options.check) printExact(result.text ?? "");
  else if (result.changed) {
    print(`${printedPath(result.path)}\n`);
    endWith(exitCode.findings);
  }
}

function formatReading(path: string, reading: Reading): Formatted {
  if (!reading.ok) return { path, text: null, changed: false, findings: [unreadable(path, reading.problem)] };
  const source = { path, text: reading.text };
  const { text, diagnostics } = format(source);
  const findings = diagnostics.filter((finding) => finding.severity === "error");
  return { path, text, changed: !Buffer.from(text, "utf8").equals(reading.bytes), findings };
}

/** Findings go to stderr and fail the command, since what cannot be parsed may not be formatted to the end. */
function reportFindings(results: readonly Formatted[]): void {
  const medium = { colors: stderrColors(), width: streams().stderr.columns ?? 120 };
  for (const finding of results.flatMap((result) => result.findings)) {
    tell(`${describe(finding, medium)}\n`);
    endWith(exitCode.findings);
  }
}

function closing(results: readonly Formatted[], changed: number, options: FmtOptions, colors: Colors): string {
  const broken = results.filter((result) => result.findings.length > 0).length;
  const clean = broken === 0 && !(options.check && changed > 0);
  const verb = options.write ? "formatted" : "not formatted";
  const parts = [`${count(results.length, "file")} looked at`, `${changed} ${verb}`];
  if (broken > 0) parts.push(`${broken} with syntax errors`);
  const next = options.check && changed > 0 ? "; mae fmt --write formats" : "";
  return `${clean ? colors.green("✓") : colors.red("✗")} ${parts.join(", ")}${next}`;
}
