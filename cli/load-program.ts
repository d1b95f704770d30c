/**
 * From the text of an emitted module to the model it exports: the text is turned into JavaScript and imported. What
 * trains is what was emitted.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ts } from "ts-morph";
import type { ModelProgram } from "../blocks/index.js";
import { doorUrl } from "./doors.js";
import { runFailure } from "./failure.js";
import { replaceFile } from "./files.js";

const programFile = "program.ts";

/** Addresses of a project's files by what an emitted module calls them. */
export type Addresses = ReadonlyMap<string, string>;

/**
 * Keeps an emitted module in a run's folder, as `program.ts` and `program.mjs`, and imports it.
 *
 * `source`: the emitted TypeScript. `name`: the model's name, for which the module has one export.
 */
export async function loadProgram(
  source: string,
  directory: string,
  name: string,
  addresses: Addresses,
): Promise<ModelProgram> {
  const script = join(directory, "program.mjs");
  replaceFile(join(directory, programFile), source);
  replaceFile(script, toJavaScript(source, addresses));
  return importProgram(script, name);
}

/** The model that a run keeps. The run's folder is only read; the package may lie elsewhere than when it was written. */
export async function reloadProgram(directory: string, name: string, addresses: Addresses): Promise<ModelProgram> {
  const folder = mkdtempSync(join(tmpdir(), "maelang-"));
  try {
    const script = join(folder, "program.mjs");
    writeFileSync(script, toJavaScript(readFileSync(join(directory, programFile), "utf8"), addresses));
    return await importProgram(script, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function importProgram(script: string, name: string): Promise<ModelProgram> {
  const module: Record<string, unknown> = await import(pathToFileURL(script).href);
  const program = Object.values(module).find(isProgram);
  if (program?.name !== name) throw new Error(`invariant: the emitted module exports no model ${name}`);
  return program;
}

const isProgram = (value: unknown): value is ModelProgram =>
  typeof value === "object" && value !== null && "parameters" in value && "loss" in value;

function toJavaScript(source: string, addresses: Addresses): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
    transformers: { before: [() => (file: ts.SourceFile) => pointImports(file, addresses)] },
  });
  return outputText;
}

/** The run's folder may be anywhere, so names of the package and of the project's files become addresses. */
function pointImports(file: ts.SourceFile, addresses: Addresses): ts.SourceFile {
  const statements = file.statements.map((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return statement;
    const name = statement.moduleSpecifier.text;
    const url = doorUrl(name) ?? addresses.get(name);
    if (!url) throw notThere(name);
    return ts.factory.updateImportDeclaration(
      statement,
      statement.modifiers,
      statement.importClause,
      ts.factory.createStringLiteral(url),
      statement.attributes,
    );
  });
  return ts.factory.updateSourceFile(file, statements);
}

const notThere = (name: string) =>
  runFailure(`the run's program imports ${name}, which no block file of the project is any more`, {
    help: "restore the file and its entry in mae.config.json, or train again",
  });
