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
import { replaceFile } from "./files.js";
import { packageRoot } from "./package-root.js";

const programFile = "program.ts";

/** Doors of this package that an emitted module may import, and where they are in the package. */
const doors: Readonly<Record<string, string>> = {
  "maelang/blocks": "dist/blocks.js",
  "maelang/graph": "dist/graph.js",
};

/**
 * Keeps an emitted module in a run's folder, as `program.ts` and `program.mjs`, and imports it.
 *
 * `source`: the emitted TypeScript. `name`: the model's name, for which the module has one export.
 */
export async function loadProgram(source: string, directory: string, name: string): Promise<ModelProgram> {
  const script = join(directory, "program.mjs");
  replaceFile(join(directory, programFile), source);
  replaceFile(script, toJavaScript(source));
  return importProgram(script, name);
}

/** The model that a run keeps. The run's folder is only read; the package may lie elsewhere than when it was written. */
export async function reloadProgram(directory: string, name: string): Promise<ModelProgram> {
  const folder = mkdtempSync(join(tmpdir(), "maelang-"));
  try {
    const script = join(folder, "program.mjs");
    writeFileSync(script, toJavaScript(readFileSync(join(directory, programFile), "utf8")));
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

function toJavaScript(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
    transformers: { before: [() => pointImports] },
  });
  return outputText;
}

/** The run's folder may be anywhere, so the package's names become addresses of its files. */
function pointImports(file: ts.SourceFile): ts.SourceFile {
  const statements = file.statements.map((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return statement;
    const door = doors[statement.moduleSpecifier.text];
    if (!door) throw new Error(`invariant: an emitted module imports ${statement.moduleSpecifier.text}`);
    return ts.factory.updateImportDeclaration(
      statement,
      statement.modifiers,
      statement.importClause,
      ts.factory.createStringLiteral(pathToFileURL(join(packageRoot(), door)).href),
      statement.attributes,
    );
  });
  return ts.factory.updateSourceFile(file, statements);
}
