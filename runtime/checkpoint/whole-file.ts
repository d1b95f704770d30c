/** Files that appear as a whole or not at all: written under other names, synced, renamed. */

import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { RunError, reasonOf, systemCode } from "../run-error.js";

/** Ends the name of a file that is being written. */
export const partialSuffix = ".partial";

/** Node writes no more than this at once. */
const longestWrite = 2 ** 30;

/** Bytes, or how to get them when their turn comes, where all of them at once would take much memory. */
export type Part = Uint8Array | (() => Promise<Uint8Array>);

export interface FileToWrite {
  readonly path: string;
  /** Bytes in pieces. */
  readonly parts: readonly Part[];
}

/**
 * Writes files of one folder; they get their names, in this order, when all of them are written and synced.
 * Whatever fails before, files that were there are still whole. Throws `run/disk-full`, `run/unwritable`, or what getting a part throws.
 * @param room what to do when the disk is full.
 */
export async function writeWhole(files: readonly FileToWrite[], room?: string): Promise<void> {
  let [path = ""] = files.map((file) => file.path);
  try {
    for (const file of files) {
      path = file.path;
      await writePartial(file);
    }
    for (const file of files) {
      path = file.path;
      await rename(path + partialSuffix, path);
    }
    await syncFolder(dirname(path));
  } catch (error) {
    for (const file of files) await rm(file.path + partialSuffix, { force: true }).catch(() => undefined);
    throw error instanceof RunError ? error : unwritable(path, error, room);
  }
}

const writePartial = ({ path, parts }: FileToWrite): Promise<void> =>
  makeFile(path + partialSuffix, async (file) => {
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : await part();
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, Math.min(longestWrite, bytes.length - done))).bytesWritten;
      }
    }
  });

/**
 * Makes a file, open to be written and read as long as `act` takes, and syncs it. What has its name already is taken away, not
 * written into: it may be a link to another file. @internal
 */
export async function makeFile<T>(path: string, act: (file: FileHandle) => Promise<T>): Promise<T> {
  await rm(path, { force: true });
  const file = await open(path, "wx+");
  try {
    const result = await act(file);
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}

/** Makes a rename last through a power cut. Windows cannot open folders and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a failed write means to the user. `room`: what to do when the disk is full. */
export function unwritable(
  path: string,
  error: unknown,
  room = "Free some space and resume the run; what was saved before is intact.",
): RunError {
  const code = systemCode(error);
  const why = reasonOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    const what = `${path} could not be written because the disk is full`;
    return new RunError("run/disk-full", { what, why, help: room }, { cause: error });
  }
  return new RunError(
    "run/unwritable",
    {
      what: `${path} cannot be written`,
      why,
      help: "Choose an output folder that you may write to, or change the folder's permissions.",
    },
    { cause: error },
  );
}
