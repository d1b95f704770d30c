/** Safetensors files on disk: read tensor by tensor, and written so that a crash never leaves half a file under its name. */

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type RunError, unreadable } from "../run-error.js";
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
import { unwritable, writeWhole } from "./whole-file.js";

export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly values: StoredValues;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Node refuses to read more than this at once. */
const longestRead = 2 ** 30;

/**
 * Reads a safetensors file: the tensors whose names are wanted, without which all. Throws `run/safetensors` or `run/unreadable`,
 * also for what is wrong with a tensor that is not wanted.
 */
export async function readTensorFile(
  path: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<TensorFile> {
  const file = await open(path).catch((error: unknown) => {
    throw notRead(path, error);
  });
  try {
    const { size } = await file.stat();
    const first = await readBytes(file, 0, Math.min(lengthBytes, size), path);
    const length = headerLength(first, size, path);
    const header = parseHeader(await readBytes(file, lengthBytes, length, path), size - lengthBytes - length, path);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { dtype, shape, begin, end }] of header.entries) {
      if (!isWanted(name)) continue;
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
        throw notRead(path, error);
      });
    if (bytesRead === 0) throw notRead(path, new Error("it became shorter while it was read"));
    done += bytesRead;
  }
  return bytes;
}

/** A sparse file can be larger than any memory. */
function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw notRead(path, error);
  }
}

const notRead = (path: string, error: unknown): RunError =>
  unreadable(path, "Check that the file is there and that you may read it.", error);

/**
 * Writes a safetensors file, and its folder where there is none.
 * Whatever fails, a file that was there before is still whole. Throws `run/disk-full` or `run/unwritable`.
 */
export async function writeTensorFile(
  path: string,
  tensors: readonly TensorToStore[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  await writeWhole([{ path, parts: encodeSafetensors(tensors, metadata) }]);
}
