/** Emitted modules in tests: type-checked as a user's compiler would, and run. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import type { ModelProgram } from "../../blocks/index.js";

const root = join(import.meta.dirname, "../..");

/** Of a user's project, at its strictest. */
const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** Type-checks texts as modules of a project that depends on this package; gives the messages with their lines. */
export function typeChecker(): (text: string) => readonly { readonly line: number; readonly message: string }[] {
  const path = join(root, "emitted-under-test.ts");
  let current = { text: "", version: 0 };
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [path],
    getScriptVersion: (file) => (file === path ? String(current.version) : "0"),
    getScriptSnapshot: (file) => {
      const text = file === path ? current.text : ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o),
    fileExists: (file) => file === path || ts.sys.fileExists(file),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
  });
  return (text) => {
    // The sources stand for the built package, so that a test does not depend on a build.
    current = { text: text.replace(/"maelang\/(blocks|graph)"/g, '"./$1/index.js"'), version: current.version + 1 };
    const found = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)];
    return found.map(({ start, messageText, file }) => ({
      line: file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0,
      message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    }));
  };
}

/** What a user's compiler says of modules on disk, all of them at once, after the name of the file; `more`: where it finds this package. */
export const typeErrors = (paths: readonly string[], more: ts.CompilerOptions): readonly string[] =>
  ts
    .getPreEmitDiagnostics(ts.createProgram(paths, { ...options, ...more }))
    .map(({ file, messageText }) =>
      [...(file ? [basename(file.fileName)] : []), ts.flattenDiagnosticMessageText(messageText, "\n")].join(": "),
    );

/** Runs an emitted module and gives its one model. */
export async function loadEmitted(text: string): Promise<ModelProgram> {
  const folder = mkdtempSync(join(root, "test", ".emitted-"));
  try {
    const file = join(folder, "model.ts");
    writeFileSync(file, text.replace(/"maelang\/(blocks|graph)"/g, '"../../$1/index.js"'));
    const loaded = (await import(file)) as Record<string, ModelProgram>;
    return Object.values(loaded)[0] as ModelProgram;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
