/** `Files` on disk for the dataset blocks: paths relative to the project's root, gzip undone, failures in words. */

import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Files } from "../../blocks/index.js";
import { RunError, reasonOf, systemCode, unreadable } from "../run-error.js";
import { nearest } from "./nearest.js";

/** A compressed file that grows beyond this is taken for a bomb. */
const largestInflated = 2 ** 32;

/**
 * Reads below `root`; absolute paths are taken as they are. Gzipped contents are
 * inflated, whatever the file's name. Throws `run/data` with the nearest names that exist,
 * `run/unreadable` for anything else, and `run/data` for a link that leads back to where it is.
 */
export function nodeFiles(root: string): Files {
  return {
    read: async (path) => {
      const bytes = await readFile(resolve(root, path)).catch(async (error: unknown) => {
        throw await failure(root, path, error);
      });
      return inflate(bytes, path);
    },
    async list(path) {
      const full = resolve(root, path);
      const entries = await readdir(full, { withFileTypes: true }).catch(async (error: unknown) => {
        throw await failure(root, path, error);
      });
      const names = await Promise.all(entries.map((entry) => listedName(full, entry)));
      // By code unit: the same on every machine, whatever its language.
      return names.filter((name) => name !== null).sort();
    },
    exists: (path) =>
      stat(resolve(root, path)).then(
        () => true,
        () => false,
      ),
  };
}

/** With a slash behind a folder; null for a pipe or a device, which nobody wants to wait for. Throws for a link to where it is in. */
async function listedName(folder: string, entry: Dirent): Promise<string | null> {
  const { name } = entry;
  if (entry.isDirectory()) return `${name}/`;
  if (entry.isFile()) return name;
  if (!entry.isSymbolicLink()) return null;
  const path = join(folder, name);
  if (!(await isFolder(path))) return name;
  const [here, there] = await Promise.all([realpath(folder), realpath(path)]);
  if (here === there || here.startsWith(there.endsWith(sep) ? there : there + sep)) {
    throw new RunError("run/data", {
      what: `${path} is a link to a folder that it is in itself`,
      why: "what is there would be found again and again",
      help: "Remove the link.",
    });
  }
  return `${name}/`;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

async function inflate(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return promisify(gunzip)(bytes, { maxOutputLength: largestInflated }).catch((error: unknown) => {
    throw new RunError(
      "run/data",
      {
        what: `${path} cannot be decompressed`,
        why: reasonOf(error),
        help: "The file seems cut off or damaged: fetch it again.",
      },
      { cause: error },
    );
  });
}

/** What a failed access means to the user. */
export async function failure(root: string, path: string, error: unknown): Promise<RunError> {
  const full = resolve(root, path);
  if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
    return new RunError(
      "run/data",
      { what: `${path} does not exist`, why: `looked for ${full}`, help: await whatIsThere(full) },
      { cause: error },
    );
  }
  return unreadable(
    path,
    "Check that you may read it, and that it is a file where a file is meant and a folder where a folder is.",
    error,
  );
}

/** The names nearest to the first part of a path that does not exist. */
async function whatIsThere(path: string): Promise<string> {
  let missing = path;
  while (dirname(missing) !== missing && !(await isFolder(dirname(missing)))) missing = dirname(missing);
  const folder = dirname(missing);
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return `${folder} is empty. Put the data there or correct the path in the recipe.`;
  const close = nearest(basename(missing), names);
  if (close.length > 0) return `Did you mean ${close.map((name) => join(folder, name)).join(" or ")}?`;
  const shown = names.sort().slice(0, 5).join(", ");
  return `${folder} has ${shown}${names.length > 5 ? ", ..." : ""}. Correct the path in the recipe.`;
}
