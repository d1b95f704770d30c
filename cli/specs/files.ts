/** Finding specs on disk, reading them with care, and replacing them without ever leaving half a file. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { streams } from "../session.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { systemWords } from "../words/system-errors.js";

/** Larger than any spec; a wrong file should not take the memory of the machine. */
export const largestSpec = 4 * 2 ** 20;

const everySpec = "**/*.mae";
const ignored = ["**/node_modules/**", "**/dist/**", "**/.git/**"];

/** A path as it is printed: relative to the working folder, with forward slashes. `<stdin>` stays what it is. */
export function printedPath(path: string): string {
  if (path.startsWith("<")) return path;
  const shown = relative(process.cwd(), resolve(path)).replaceAll("\\", "/");
  return shown === "" ? "." : shown;
}

/**
 * A path as the compiler knows it: relative inside the working folder, which is the project then; absolute outside of
 * it. With forward slashes.
 */
export function specPath(path: string): string {
  const shown = printedPath(path);
  return shown.startsWith("../") || isAbsolute(shown) ? resolve(path).replaceAll("\\", "/") : shown;
}

/**
 * The files that paths, folders and globs mean, each once, sorted. A file that is named outright is taken whatever
 * its name; below folders only `.mae` files are.
 *
 * Throws a usage failure for a pattern that matches nothing: a check that checks nothing must not pass.
 */
export async function findSpecs(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns.length > 0 ? patterns : [everySpec]) {
    const matches = await expand(pattern);
    if (matches.length === 0) throw nothingMatches(pattern, patterns.length > 0);
    for (const match of matches) found.add(match);
  }
  return [...found].sort();
}

async function expand(pattern: string): Promise<string[]> {
  const kind = kindOf(pattern);
  if (kind === "file" || kind === "other") return [specPath(pattern)];
  const { glob } = await import("tinyglobby");
  const options = { ignore: ignored, onlyFiles: true, dot: false, expandDirectories: false };
  const matches =
    kind === "folder"
      ? await glob(everySpec, { ...options, cwd: pattern, absolute: true })
      : await glob(pattern.replaceAll("\\", "/"), { ...options, absolute: true });
  const isSearch = kind === "folder" || pattern === everySpec;
  const base = realpathSync(kind === "folder" ? pattern : ".");
  return matches.filter((match) => !isSearch || (!isOutput(match) && staysIn(base, match))).map(specPath);
}

/** Whether a spec is the copy that a run keeps of what it trains. */
const isOutput = (path: string): boolean =>
  basename(path) === "spec.mae" && existsSync(join(dirname(path), "run.json"));

/** Whether what a path leads to by way of links lies in a folder; `folder` is without links. A path that leads nowhere stays. */
export function staysIn(folder: string, path: string): boolean {
  try {
    const inner = relative(folder, realpathSync(path));
    return !(inner === ".." || inner.startsWith(`..${sep}`) || isAbsolute(inner));
  } catch {
    return true;
  }
}

function nothingMatches(pattern: string, written: boolean) {
  if (!written) {
    return usageFailure("there is no .mae file in this folder or below it", {
      help: "name files, folders or globs, or write a first spec with mae init",
    });
  }
  if (kindOf(pattern) === "folder") return usageFailure(`there is no .mae file below "${pattern}"`);
  if (/[*?[\]{}!]/.test(pattern)) return usageFailure(`no file matches "${pattern}"`);
  return usageFailure(`there is no file "${pattern}"`);
}

type PathKind = "file" | "folder" | "other" | "none";

function kindOf(path: string): PathKind {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return "none";
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : "other";
  } catch {
    // It is there and cannot be looked at: reading it will say why.
    return "other";
  }
}

/** What came of reading a file: its text, or why there is none. */
export type Reading =
  | { readonly ok: true; readonly text: string; readonly bytes: Buffer }
  | { readonly ok: false; readonly problem: ReadProblem };

export interface ReadProblem {
  readonly code: "file/missing" | "file/unreadable" | "file/not-a-file" | "file/too-large" | "file/not-utf8";
  readonly message: string;
  readonly help: string;
}

/** Reads a spec as UTF-8, without a byte order mark. Never throws for what is on the disk. */
export function readSpec(path: string): Reading {
  const refuse = (code: ReadProblem["code"], message: string, help: string): Reading => ({
    ok: false,
    problem: { code, message, help },
  });
  try {
    const found = statSync(path);
    if (!found.isFile()) {
      const what = found.isDirectory() ? "a folder" : "a device or a pipe";
      return refuse("file/not-a-file", `${printedPath(path)} is ${what}, not a file`, "name a .mae file");
    }
    if (found.size > largestSpec) {
      const size = `${(found.size / 2 ** 20).toFixed(1)} MiB`;
      return refuse("file/too-large", `the file has ${size}; a spec has at most 4 MiB`, "is it a spec at all?");
    }
    return decode(readFileSync(path));
  } catch (error) {
    const reason = readWords[(error as NodeJS.ErrnoException).code ?? ""];
    if (!reason) {
      const words = systemWords(error);
      if (words === null) throw error;
      return refuse("file/unreadable", `${printedPath(path)} cannot be read: ${words}`, "mend that, and try again");
    }
    return refuse(reason.code, `${printedPath(path)} ${reason.message}`, reason.help);
  }
}

const readWords: Readonly<Record<string, ReadProblem>> = {
  ENOENT: { code: "file/missing", message: "does not exist", help: "check the name of the file" },
  ENOTDIR: { code: "file/missing", message: "does not exist", help: "a part of its path is a file, not a folder" },
  ENAMETOOLONG: { code: "file/missing", message: "has a name that is too long", help: "check the name of the file" },
  ELOOP: { code: "file/unreadable", message: "is a link that leads back to itself", help: "mend the link" },
  EACCES: { code: "file/unreadable", message: "may not be read by you", help: "change its permissions" },
  EPERM: { code: "file/unreadable", message: "may not be read by you", help: "change its permissions" },
};

/** Text from bytes; anything but UTF-8 is refused rather than guessed. */
export function decode(bytes: Buffer): Reading {
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bytes };
  } catch {
    const sixteen = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    return {
      ok: false,
      problem: {
        code: "file/not-utf8",
        message: sixteen ? "the file is UTF-16; specs are UTF-8" : "the file is not valid UTF-8",
        help: "save it again as UTF-8",
      },
    };
  }
}

/** Everything on stdin, as a spec. */
export async function readStdin(): Promise<Reading> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of streams().stdin) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > largestSpec) throw usageFailure("stdin has more than 4 MiB; a spec has less");
    chunks.push(bytes);
  }
  return decode(Buffer.concat(chunks));
}

/** Rewrites a file of the user: a link stays a link, and the file that it leads to is replaced. */
export const rewriteFile = (path: string, text: string): void =>
  replaceFile(existsSync(path) ? realpathSync(path) : path, text);

/**
 * Replaces a file as a whole: written beside it, synced, renamed. The file's mode is kept. A link is replaced itself:
 * what is made here never overwrites a file elsewhere.
 */
export function replaceFile(target: string, text: string | Uint8Array): void {
  const mode = statSync(target, { throwIfNoEntry: false })?.mode;
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, "wx");
    writeFileSync(file, text);
    fsyncSync(file);
    closeSync(file);
    if (mode !== undefined) chmodSync(temporary, mode & 0o7777);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(target, error);
  }
}

/** Throws a `Failure` where a result cannot be written as a file, before anything is computed for it. */
export function checkOutput(path: string, force: boolean): void {
  if (!existsSync(dirname(path))) throw unwritable(path, { code: "ENOENT" });
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isFile()) {
    const what = found.isDirectory() ? "a folder" : "a device or a pipe";
    throw runFailure(`${printedPath(path)} is ${what}, not a file`, { help: "name another file (--out)" });
  }
  if (force) return;
  throw runFailure(`${printedPath(path)} is already there`, {
    reason: "Nothing of yours is overwritten unasked.",
    help: "name another file (--out), or replace it (--force)",
  });
}

/** What the same error means of a file that is written, where that is more than of any. */
const writeWords: Readonly<Record<string, string>> = {
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  ENOENT: "its folder does not exist",
};

/** What a failed write means to the user; other errors as they are. */
export function unwritable(path: string, error: unknown): unknown {
  const words = writeWords[(error as NodeJS.ErrnoException).code ?? ""] ?? systemWords(error);
  if (!words) return error;
  return runFailure(`${printedPath(path)} cannot be written: ${words}`, {
    help: "choose another place, or change what stands in the way",
  });
}
