/** What may be thrown away at any time: values as JSON, in a folder of the user's. */

import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { replaceFile } from "../specs/files.js";

const pathOf = (name: string): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "maelang", `${name}.json`);

/** What was kept under a name; null where nothing was, or where it cannot be read. */
export function readCache(name: string): unknown {
  try {
    return JSON.parse(readFileSync(pathOf(name), "utf8"));
  } catch {
    return null;
  }
}

/** Keeps a value; a home that cannot be written is no reason to fail what is done. */
export function writeCache(name: string, value: unknown): void {
  try {
    mkdirSync(dirname(pathOf(name)), { recursive: true });
    replaceFile(pathOf(name), `${JSON.stringify(value)}\n`);
  } catch {
    // Only what it would have spared the next call is lost.
  }
}
