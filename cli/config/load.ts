/**
 * Runs a project's block files and gives what they export. Their JavaScript is written into a folder of its own with its
 * imports pointed at this installation, so that `maelang/blocks` means the same objects to them as to the command.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Diagnostic } from "../../grammar/index.js";
import { didYouMean } from "../words/nearest.js";
import { messageOf, placeIn, watchErrors } from "./blame.js";
import { configError, topOf } from "./codes.js";
import { type BlockFile, readFiles, type Target } from "./graph-of-files.js";
import type { Entry } from "./read.js";

export interface LoadedFile {
  readonly file: BlockFile;
  /** Address of the module as it runs in this process. */
  readonly url: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** What was written, to be removed when the process ends. */
const folders: string[] = [];

const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Every file that could be run, those that others import included. Running starts with the files as they are named. */
export async function loadFiles(
  entries: readonly Entry[],
  root: string,
  report: (finding: Diagnostic) => void,
): Promise<readonly LoadedFile[]> {
  const files = await readFiles(entries, root, report);
  const sound = soundOf(files);
  if (sound.length === 0) return [];
  watchErrors();
  const folder = mkdtempSync(join(tmpdir(), "maelang-"));
  // Until then programs may import them too, and Node looks for the file of a module that it has loaded already.
  if (folders.length === 0) process.once("exit", () => folders.forEach(remove));
  folders.push(folder);
  const urls = new Map(sound.map(({ path }, i) => [path, pathToFileURL(scriptFor(folder, path, i)).href]));
  for (const [i, file] of sound.entries()) writeFileSync(scriptFor(folder, file.path, i), pointed(file, urls));
  const loaded: LoadedFile[] = [];
  for (const file of sound) {
    const url = urls.get(file.path) as string;
    const exports = await run(url, file, sound, report);
    if (exports) loaded.push({ file, url, exports });
  }
  return loaded;
}

const scriptFor = (folder: string, path: string, i: number): string =>
  join(folder, `${i}-${basename(path).replace(/\.m?[jt]s$/, "")}.mjs`);

/** Files that nothing is wrong with, nor with what they import. */
function soundOf(files: ReadonlyMap<string, BlockFile>): readonly BlockFile[] {
  const broken = new Set([...files.values()].filter((file) => !isWhole(file)).map(({ path }) => path));
  const isBroken = (target: Target | null): boolean =>
    target === null || ("file" in target && (broken.has(target.file) || !files.has(target.file)));
  for (let before = -1; before !== broken.size; ) {
    before = broken.size;
    for (const { path, targets } of files.values()) if (targets.some(isBroken)) broken.add(path);
  }
  return [...files.values()].filter(({ path }) => !broken.has(path));
}

const isWhole = ({ transpiled, targets }: BlockFile): boolean =>
  transpiled.mistakes.length === 0 && !targets.includes(null);

/** The file's JavaScript with each import at its address. */
function pointed({ transpiled: { code, imports }, targets }: BlockFile, urls: ReadonlyMap<string, string>): string {
  let out = "";
  let at = 0;
  for (const [i, { inCode }] of imports.entries()) {
    const target = targets[i] as Target;
    const url = "file" in target ? urls.get(target.file) : target.url;
    out += code.slice(at, inCode.start) + JSON.stringify(url);
    at = inCode.end;
  }
  return out + code.slice(at);
}

async function run(
  url: string,
  file: BlockFile,
  all: readonly BlockFile[],
  report: (finding: Diagnostic) => void,
): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const sources = all.map(({ source }) => source);
    // What an imported file throws is said where it is thrown, once for all that import it.
    const words = { help: "a block file defines blocks and does nothing else when it is loaded" };
    const place = placeIn(error, sources) ?? topOf(file.source);
    report(
      (await unlinked(error, file)) ??
        configError("block/throws", place, `the file cannot be loaded: ${messageOf(error)}`, words),
    );
    return null;
  }
}

/** A name that is imported from where it is not exported; null: something else is wrong. */
async function unlinked(error: unknown, file: BlockFile): Promise<Diagnostic | null> {
  if (!(error instanceof SyntaxError)) return null;
  const [, url = "", name = ""] =
    /requested module '(.+)' does not provide an export named '(.+)'/.exec(error.message) ?? [];
  if (name === "") return null;
  const imports = file.transpiled.imports;
  const i = file.targets.findIndex((target) => target && "url" in target && target.url === url);
  const from = imports[i];
  if (!from) return null;
  const help = didYouMean(name, Object.keys(await import(url))) ?? "check its name";
  const span = { source: file.source, ...from.inText };
  return configError("block/import", span, `\`${from.specifier}\` exports no \`${name}\``, { help });
}
