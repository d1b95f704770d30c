/** Safetensors files on disk: read tensor by tensor, and written so that a crash never leaves half a file under its name. */

import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { RunError, systemCode } from "../run-error.js";
import {
  decodeTensor,
  encodeSafetensors,
  headerLength,
  lengthBytes,
  parseHeader,
  type StoredType,
  type StoredValues,
  type TensorToStore,
} from "./safetensors.js";

export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly values: StoredValues;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Ends the name of a file that is being written. */
export const partialSuffix = ".partial";

/** Node refuses to read more than this at once. */
const longestRead = 2 ** 30;

/** Reads a whole safetensors file. Throws `run/safetensors` or `run/unreadable`. */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { size } = await file.stat();
    const first = await readBytes(file, 0, Math.min(lengthBytes, size), path);
    const length = headerLength(first, size, path);
    const header = parseHeader(await readBytes(file, lengthBytes, length, path), size - lengthBytes - length, path);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { dtype, shape, begin, end }] of header.entries) {
      const bytes = await readBytes(file, header.dataStart + begin, end - begin, path);
      tensors.set(name, { dtype, shape, values: decodeTensor(dtype, bytes) });
    }
    return { tensors, metadata: header.metadata };
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, position: number, length: number, path: string): Promise<Uint8Array> {
  const bytes = allocate(length, path);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file
      .read(bytes, done, Math.min(longestRead, length - done), position + done)
      .catch((error: unknown) => {
        throw unreadable(path, error);
      });
    if (bytesRead === 0) throw unreadable(path, new Error("it became shorter while it was read"));
    done += bytesRead;
  }
  return bytes;
}

/** A sparse file can be larger than any memory. */
function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, error: unknown): RunError =>
  new RunError(
    "run/unreadable",
    {
      what: `${path} cannot be read`,
      why: error instanceof Error ? error.message : String(error),
      help: "Check that the file is there and that you may read it.",
    },
    { cause: error },
  );

/**
 * Writes a safetensors file under another name, syncs it, gives it its name and syncs the folder.
 * Whatever fails, a file that was there before is still whole. Throws `run/disk-full` or `run/unwritable`.
 */
export async function writeTensorFile(
  path: string,
  tensors: readonly TensorToStore[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const partial = path + partialSuffix;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(partial, "w");
    try {
      for (const part of encodeSafetensors(tensors, metadata)) await writeBytes(file, part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

async function writeBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, Math.min(longestRead, bytes.length - done))).bytesWritten;
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

/** What a failed write means to the user. */
export function unwritable(path: string, error: unknown): RunError {
  const code = systemCode(error);
  const why = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new RunError(
      "run/disk-full",
      {
        what: `${path} could not be written because the disk is full`,
        why,
        help: "Free some space and resume the run; what was saved before is intact.",
      },
      { cause: error },
    );
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
