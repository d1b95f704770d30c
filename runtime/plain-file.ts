/** Opens plain files and nothing else: a pipe is waited for without end, a device has no end, a folder holds no bytes. */

import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { RunError, unreadable } from "./run-error.js";

export interface PlainFile {
  readonly file: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/** Node refuses to read more than this at once. */
const longestRead = 2 ** 30;

/**
 * Opens a file to read it; links are followed. Whoever opens it closes it.
 * @param shown its name in messages
 * @throws RunError `run/unreadable` when it is no plain file; what the system says otherwise
 */
export async function openPlainFile(path: string, shown = path): Promise<PlainFile> {
  // Without O_NONBLOCK, opening a pipe waits for somebody who writes. Windows has no such flag.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw notPlain(facts, shown);
    return { file, size: facts.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What is said of a file that somebody named and that the system does not read. */
export const notRead = (path: string, error: unknown): RunError =>
  unreadable(path, "Check that the file is there and that you may read it.", error);

/** Opens a file that somebody named. Throws `run/unreadable` for all that keeps it from being opened. */
export const openNamedFile = (path: string): Promise<PlainFile> =>
  openPlainFile(path).catch((error: unknown) => {
    throw error instanceof RunError ? error : notRead(path, error);
  });

/**
 * The bytes of a file, which may have at most `most`.
 * @throws RunError `run/unreadable` when it is no plain file or larger; what the system says otherwise
 */
export async function readPlainFile(path: string, most: number, shown = path): Promise<Uint8Array> {
  const { file, size } = await openPlainFile(path, shown);
  try {
    if (size > most) {
      throw new RunError("run/unreadable", {
        what: `${shown} has ${inMebibytes(size)}, and at most ${inMebibytes(most)} are read of such a file`,
        help: "Check that it is the file that you mean, or split it.",
      });
    }
    return await readBytes(file, 0, size);
  } finally {
    await file.close();
  }
}

/** `length` bytes from `begin` on, in memory of their own. Throws when the file has become shorter, or the memory is not there. */
export async function readBytes(file: FileHandle, begin: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(longestRead, length - done), begin + done);
    if (bytesRead === 0) throw new Error("it became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}

const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en-US")} MiB`;

function notPlain(facts: Stats, shown: string): RunError {
  const kind = facts.isDirectory() ? "a folder" : facts.isFIFO() ? "a pipe" : "a device";
  return new RunError("run/unreadable", {
    what: `${shown} is ${kind}, and a file is needed`,
    help: "Correct the path, or what the link leads to.",
  });
}
