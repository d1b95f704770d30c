/**
 * From the text of an emitted module to the model it exports: the text is turned into JavaScript and imported. What
 * trains is what was emitted.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ts } from "ts-morph";
import type { ModelProgram } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { doorUrl } from "./doors.js";
import { replaceFile } from "./files.js";

const programFile = "program.ts";

/** Addresses of a project's files by what an emitted module calls them. */
export type Addresses = ReadonlyMap<string, string>;

/**
 * Keeps an emitted module in a run's folder as `program.ts`, for people, and imports it. What is run is the text that was given, from a
 * folder of its own: a run's folder may come from a stranger, and nothing is ever run from there.
 *
 * `source`: the emitted TypeScript. `name`: the model's name, for which the module has one export. `file`: what it is called there.
 */
export async function loadProgram(
  source: string,
  directory: string,
  name: string,
  addresses: Addresses,
  file = programFile,
): Promise<ModelProgram> {
  replaceFile(join(directory, file), source);
  const folder = mkdtempSync(join(tmpdir(), "maelang-"));
  try {
    const script = join(folder, "program.mjs");
    writeFileSync(script, toJavaScript(source, addresses));
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

/** The module is run from elsewhere, so names of the package and of the project's files become addresses. */
function pointImports(file: ts.SourceFile, addresses: Addresses): ts.SourceFile {
  const statements = file.statements.map((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return statement;
    const name = statement.moduleSpecifier.text;
    const url = doorUrl(name) ?? addresses.get(name);
    invariant(url, `the emitted module imports ${name}, which is none of the project's files`);
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
