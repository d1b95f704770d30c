/** `mae check`: every finding of every named spec, in the forms that were asked for. */

import type { ReporterChoice } from "../arguments.js";
import { vocabularyOf } from "../config/index.js";
import { packageVersion } from "../package-root.js";
import { arrange, type CheckReport, documents, type Medium, passes, reporters, written } from "../report/index.js";
import { endWith, streams } from "../session.js";
import { againstRevision, changedSpecs } from "../specs/against.js";
import { type CheckedSpec, checkSpec, projectFindings, type SpecFile } from "../specs/analysis.js";
import { dataAdvice } from "../specs/data-advice.js";
import { findSpecs, printedPath, readStdin, replaceFile, specPath } from "../specs/files.js";
import { applyFixes } from "../specs/fixes.js";
import { openRevision } from "../specs/git.js";
import { weightsHere } from "../specs/weights-here.js";
import { exitCode, usageFailure } from "../words/failure.js";
import { type Colors, count, grouped, plainColors, print, stdoutColors, tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";

export interface CheckOptions {
  readonly reporters: readonly ReporterChoice[];
  readonly fix?: boolean;
  readonly errorOnWarnings?: boolean;
  /** Whether the data of recipes is looked at. */
  readonly data?: boolean;
  /** A revision whose checkpoints are to load still. */
  readonly against?: string;
  /** Only what has changed since that revision, or since the last commit. */
  readonly changed?: boolean;
  readonly maxDiagnostics?: number;
  readonly stdinPath?: string;
  readonly config?: string;
}

export async function check(paths: readonly string[], options: CheckOptions): Promise<void> {
  const chosen = options.reporters.length > 0 ? options.reporters : [{ name: "pretty", file: null } as const];
  refuseMixedStdout(chosen);
  const started = performance.now();
  const revision = options.against !== undefined || options.changed ? openRevision(options.against ?? "HEAD") : null;
  const all = await specsFrom(paths, options);
  const changedOf = (some: readonly SpecFile[]) => (revision ? changedSpecs(some, revision) : []);
  const files = options.changed ? changedOf(all) : all;
  const here = weightsHere();
  const checkedOf = async (file: SpecFile): Promise<CheckedSpec> => {
    const checked = checkSpec(file, here);
    return (await here.settle()) ? checkSpec(file, here) : checked;
  };
  if (options.fix) for (const file of files) await checkedOf(file);
  const fixed = options.fix ? applyFixes(files, here) : 0;
  const compared = new Set(options.against === undefined ? [] : changedOf(files));
  const found = [...projectFindings(files)];
  for (const file of files) {
    const checked = await checkedOf(file);
    found.push(...checked.diagnostics);
    if (revision && compared.has(file)) found.push(...againstRevision(checked, revision));
    if (options.data) found.push(...(await dataAdvice(checked)));
  }
  const diagnostics = arrange(found);
  const report: CheckReport = {
    version: packageVersion(),
    files: files.map((file) => printedPath(file.path)),
    diagnostics,
    limit: options.maxDiagnostics ?? null,
    strict: options.errorOnWarnings ?? false,
    fixed,
    milliseconds: performance.now() - started,
  };
  for (const choice of chosen) write(choice, report);
  if (!passes(report)) endWith(exitCode.findings);
}

async function specsFrom(paths: readonly string[], options: CheckOptions): Promise<SpecFile[]> {
  if (!paths.includes("-")) {
    if (options.stdinPath !== undefined) throw usageFailure("--stdin-path needs the path -", { help: "mae check -" });
    const found = await findSpecs(paths);
    return Promise.all(
      found.map(async (path) => ({ path, given: null, vocabulary: await vocabularyOf(path, options.config) })),
    );
  }
  if (paths.length > 1) throw usageFailure("stdin cannot be checked together with other paths");
  if (options.fix) throw usageFailure("--fix has no file to change when the text comes from stdin");
  const path = options.stdinPath === undefined ? "<stdin>" : specPath(options.stdinPath);
  const vocabulary = await vocabularyOf(options.stdinPath ?? null, options.config);
  return [{ path, given: await readStdin(), vocabulary }];
}

/** A document that is mixed with other text on stdout is no document any more. */
function refuseMixedStdout(chosen: readonly ReporterChoice[]): void {
  const onStdout = chosen.filter((choice) => choice.file === null);
  const document = onStdout.find((choice) => documents.includes(choice.name));
  if (document && onStdout.length > 1) {
    throw usageFailure(`the reporter ${document.name} cannot share stdout with another`, {
      help: `send it to a file: --reporter ${document.name} --reporter-file findings.${document.name}`,
    });
  }
}

function write(choice: ReporterChoice, report: CheckReport): void {
  const toFile = choice.file !== null;
  const medium = mediumOf(toFile ? plainColors() : stdoutColors());
  const text = reporters[choice.name](report, medium);
  if (choice.file === null) {
    print(text);
    return;
  }
  replaceFile(choice.file, text);
  const { shown, left } = written(report);
  const all = left > 0 ? ` of ${grouped(report.diagnostics.length)}` : "";
  tell(`${count(shown.length, "finding")}${all} written to ${visibleText(printedPath(choice.file))}`);
}

const mediumOf = (colors: Colors): Medium => ({ colors, width: streams().stdout.columns ?? 120 });
