/** Which `mae.config.json` a spec belongs to: the nearest above it. A spec cannot name one, and neither can a run. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { printedPath } from "../specs/files.js";
import { usageFailure } from "../words/failure.js";

export const configFile = "mae.config.json";

/** A folder that many people share, such as /tmp: what lies in it may be anybody's. */
function isShared(folder: string): boolean {
  const sticky = 0o1000;
  const found = statSync(folder, { throwIfNoEntry: false });
  return process.platform !== "win32" && found !== undefined && (found.mode & sticky) !== 0;
}

/** What training leaves in a folder. */
const ofRun = /^(?:run\.json|log\.jsonl|checkpoint-\d+\.safetensors)$/;

/** Whether a folder is that of a run. It may come from a stranger, and is data: a configuration in it runs nothing. */
export function isRunFolder(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => ofRun.test(name));
  } catch {
    return false;
  }
}

/**
 * The configuration of a folder: in it or in the nearest folder above. The search ends with the folder that holds `.git`,
 * with the home folder, and before a folder that many people share. That in the folder of a run does not count. null: there is none.
 */
export function findConfig(folder: string): string | null {
  for (let at = resolve(folder); !isShared(at); at = dirname(at)) {
    const path = join(at, configFile);
    if (existsSync(path) && !isRunFolder(at)) return path;
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
