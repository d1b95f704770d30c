/** Which `mae.config.json` a spec belongs to: the nearest above it. A spec cannot name one. */

import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { usageFailure } from "../failure.js";
import { printedPath } from "../files.js";

export const configFile = "mae.config.json";

/** A folder that many people share, such as /tmp: what lies in it may be anybody's. */
function isShared(folder: string): boolean {
  const sticky = 0o1000;
  const found = statSync(folder, { throwIfNoEntry: false });
  return process.platform !== "win32" && found !== undefined && (found.mode & sticky) !== 0;
}

/**
 * The configuration of a folder: in it or in the nearest folder above. The search ends with the folder that holds `.git`,
 * with the home folder, and before a folder that many people share. null: there is none.
 */
export function findConfig(folder: string): string | null {
  for (let at = resolve(folder); !isShared(at); at = dirname(at)) {
    const path = join(at, configFile);
    if (existsSync(path)) return path;
    if (existsSync(join(at, ".git")) || at === homedir() || dirname(at) === at) return null;
  }
  return null;
}

/**
 * The configuration that a command line names with `--config`.
 *
 * Throws a usage failure where there is no such file.
 */
export function namedConfig(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return resolve(path);
  throw usageFailure(`${printedPath(path)} ${found ? "is not a file" : "does not exist"}`, {
    help: `--config names a ${configFile}`,
  });
}
