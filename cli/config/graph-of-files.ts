/** The files that a project's block files are made of: each read and transpiled once, its imports followed. */

import { realpathSync, statSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Diagnostic, Source, Span } from "../../grammar/index.js";
import { doorNames, doorUrl } from "../specs/doors.js";
import { printedPath, readSpec, specPath } from "../specs/files.js";
import { configError } from "./codes.js";
import { blockExtensions, type Entry, isBelow } from "./read.js";
import type { Import, Transpiled } from "./strip.js";
import { transpile } from "./transpile.js";

/** Where an import leads: to a file of the project, or to an address as it is. */
export type Target = { readonly file: string } | { readonly url: string };

export interface BlockFile {
  /** Absolute. */
  readonly path: string;
  readonly source: Source;
  readonly transpiled: Transpiled;
  /** One for each import; null: reported. */
  readonly targets: readonly (Target | null)[];
}

interface Reading {
  readonly root: string;
  readonly files: Map<string, BlockFile>;
  readonly report: (finding: Diagnostic) => void;
}

/** The named files and all files of the project that they import, by their paths. */
export async function readFiles(
  entries: readonly Entry[],
  root: string,
  report: (finding: Diagnostic) => void,
): Promise<ReadonlyMap<string, BlockFile>> {
  const reading: Reading = { root, files: new Map(), report };
  for (const { path, span } of entries) await readFile(path, span, reading);
  return reading.files;
}

/** `span`: where the file is named. */
async function readFile(path: string, span: Span, reading: Reading): Promise<void> {
  if (reading.files.has(path)) return;
  const read = readSpec(path);
  if (!read.ok) {
    reading.report(configError("config/missing-file", span, read.problem.message, { help: read.problem.help }));
    return;
  }
  const source = { path: specPath(path), text: read.text };
  const transpiled = await transpile(pathToFileURL(path).href, read.text);
  for (const { start, end, message } of transpiled.mistakes) {
    const words = { help: "an editor that knows TypeScript shows the place" };
    reading.report(configError("block/syntax", { source, start, end }, message, words));
  }
  const file = { path, source, transpiled };
  const targets = transpiled.imports.map((one) => targetOf(one, file, reading));
  reading.files.set(path, { ...file, targets });
  for (const [i, target] of targets.entries()) {
    if (target && "file" in target) {
      const { inText } = transpiled.imports[i] as Import;
      await readFile(target.file, { source, ...inText }, reading);
    }
  }
}

type From = Pick<BlockFile, "path" | "source">;

function targetOf({ specifier, inText }: Import, from: From, reading: Reading): Target | null {
  const span = { source: from.source, ...inText };
  const refuse = (message: string, help: string): null => {
    reading.report(configError("block/import", span, message, { help }));
    return null;
  };
  const door = doorUrl(specifier);
  if (door !== undefined) return { url: door };
  if (specifier === "maelang" || specifier.startsWith("maelang/")) {
    return refuse(`a block file does not import \`${specifier}\``, `blocks are made from ${doorNames.join(" and ")}`);
  }
  if (isBuiltin(specifier)) return { url: specifier };
  if (specifier.startsWith("./") || specifier.startsWith("../")) return fileOf(specifier, from, reading, refuse);
  if (/^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:)/.test(specifier)) {
    return refuse(`\`${specifier}\` is neither a file of the project nor a package`, "write a path from this file");
  }
  try {
    return { url: pathToFileURL(createRequire(from.path).resolve(specifier)).href };
  } catch {
    return refuse(`there is no package \`${specifier}\` here`, "install it, or check its name");
  }
}

type Refuse = (message: string, help: string) => null;

function fileOf(specifier: string, from: From, { root }: Reading, refuse: Refuse): Target | null {
  const path = [specifier, ...asWritten(specifier)]
    .map((candidate) => resolve(dirname(from.path), candidate))
    .find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  if (path === undefined) {
    return refuse(
      `there is no file \`${specifier}\` beside ${printedPath(from.path)}`,
      "a path ends in the file's extension",
    );
  }
  if (!blockExtensions.includes(extname(path))) {
    return refuse(`\`${specifier}\` is no module`, `what is imported ends in ${blockExtensions.join(", ")}`);
  }
  if (!isBelow(path, root) || !isBelow(realpathSync(path), realpathSync(root))) {
    return refuse(`\`${specifier}\` lies outside the project`, `the project is ${printedPath(root)}`);
  }
  return { file: path };
}

/** TypeScript names the JavaScript that will stand there: `./waves.js` is `waves.ts`. */
const asWritten = (specifier: string): readonly string[] =>
  /\.m?js$/.test(specifier) ? [specifier.replace(/js$/, "ts")] : [];
