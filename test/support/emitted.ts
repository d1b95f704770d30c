/** Emitted modules in tests: type-checked as a user's compiler would, and run. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { ModelProgram } from "../../blocks/index.js";

const root = join(import.meta.dirname, "../..");
const compiler = join(root, "node_modules/typescript-native/bin/tsc");

/** Of a user's project, at its strictest. */
const options = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: "es2023",
  module: "nodenext",
  moduleResolution: "nodenext",
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** What the compiler says of modules on disk, all of them at once, by their paths; `more`: where it finds this package. */
export async function typeErrors(
  paths: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  const folder = mkdtempSync(join(tmpdir(), "mae-types-"));
  try {
    const project = join(folder, "tsconfig.json");
    writeFileSync(project, JSON.stringify({ compilerOptions: { ...options, ...more }, files: paths }));
    const args = [compiler, "--project", project, "--pretty", "false"];
    // The compiler ends with 1 or 2 where it finds something.
    const found = await promisify(execFile)(process.execPath, args, { cwd: "/", maxBuffer: 2 ** 26 }).catch(
      (error: { readonly stdout: string }) => error,
    );
    const errors = new Map<string, readonly string[]>();
    for (const [, path = "", message = ""] of found.stdout.matchAll(/^(?:(\S.*?)\(\d+,\d+\): )?error (TS\d+: .*)$/gm)) {
      const key = resolve("/", path);
      errors.set(key, [...(errors.get(key) ?? []), message]);
    }
    return errors;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the compiler says of each of these texts, as modules of a project that depends on this package. */
export async function textErrors(texts: readonly string[]): Promise<readonly (readonly string[])[]> {
  const folder = mkdtempSync(join(root, "test", ".emitted-"));
  try {
    const paths = texts.map((text, i) => {
      const path = join(folder, `${i}.ts`);
      writeFileSync(path, onSources(text));
      return path;
    });
    const errors = await typeErrors(paths);
    const elsewhere = [...errors].filter(([path]) => !paths.includes(path));
    if (elsewhere.length > 0) throw new Error(`the compiler finds more than it should: ${elsewhere.join("; ")}`);
    return paths.map((path) => errors.get(path) ?? []);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The sources stand for the built package, so that a test does not depend on a build. */
const onSources = (text: string): string => text.replace(/"maelang\/(blocks|graph)"/g, '"../../$1/index.js"');

/** Runs an emitted module and gives its one model. */
export async function loadEmitted(text: string): Promise<ModelProgram> {
  const folder = mkdtempSync(join(root, "test", ".emitted-"));
  try {
    const file = join(folder, "model.ts");
    writeFileSync(file, onSources(text));
    const loaded = (await import(file)) as Record<string, ModelProgram>;
    return Object.values(loaded)[0] as ModelProgram;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
