/**
 * From the text of an emitted module to the model it exports: the text is written into the run's folder, turned into
 * JavaScript beside it, and imported. What trains is what was emitted.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ts } from "ts-morph";
import type { ModelProgram } from "../blocks/index.js";
import { replaceFile } from "./files.js";
import { packageRoot } from "./package-root.js";

export const programFile = "program.ts";

/** Doors of this package that an emitted module may import, and where they are in the package. */
const doors: Readonly<Record<string, string>> = {
  "maelang/blocks": "dist/blocks.js",
  "maelang/graph": "dist/graph.js",
};

/**
 * `source`: the emitted TypeScript. `directory`: an existing or new folder that keeps `program.ts` and `program.mjs`.
 * `name`: the model's name, for which the module has one export.
 */
export async function loadProgram(source: string, directory: string, name: string): Promise<ModelProgram> {
  mkdirSync(directory, { recursive: true });
  const script = join(directory, "program.mjs");
  replaceFile(join(directory, programFile), source);
  replaceFile(script, toJavaScript(source));
  const module: Record<string, unknown> = await import(pathToFileURL(script).href);
  const program = Object.values(module).find(isProgram);
  if (program?.name !== name) throw new Error(`invariant: the emitted module exports no model ${name}`);
  return program;
}

/** The model of a run, from the module that the run keeps. */
export const reloadProgram = (directory: string, name: string): Promise<ModelProgram> =>
  loadProgram(readFileSync(join(directory, programFile), "utf8"), directory, name);

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
