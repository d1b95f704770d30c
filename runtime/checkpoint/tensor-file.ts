/** Safetensors files on disk: read tensor by tensor, and written so that a crash never leaves half a file under its name. */

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { notRead, openNamedFile, readBytes } from "../plain-file.js";
import {
  decodeTensor,
  encodeSafetensors,
  headerLength,
  lengthBytes,
  parseHeader,
  type StoredTensor,
  type TensorFile,
  type TensorToFetch,
  type TensorToStore,
} from "./safetensors.js";
import { unwritable, writeWhole } from "./whole-file.js";

/**
 * Reads a safetensors file: the tensors whose names are wanted, without which all. Throws `run/safetensors` or `run/unreadable`,
 * also for what is wrong with a tensor that is not wanted.
 */
export async function readTensorFile(
  path: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<TensorFile> {
  const { file, size } = await openNamedFile(path);
  const read = (begin: number, length: number): Promise<Uint8Array> =>
    readBytes(file, begin, length).catch((error: unknown) => {
      throw notRead(path, error);
    });
  try {
    const length = headerLength(await read(0, Math.min(lengthBytes, size)), size, path);
    const header = parseHeader(await read(lengthBytes, length), size - lengthBytes - length, path);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { dtype, shape, begin, end }] of header.entries) {
      if (!isWanted(name)) continue;
      const bytes = await read(header.dataStart + begin, end - begin);
      tensors.set(name, { dtype, shape, values: decodeTensor(dtype, bytes) });
    }
    return { tensors, metadata: header.metadata };
  } finally {
    await file.close();
  }
}

/**
 * Writes a safetensors file, and its folder where there is none.
 * Whatever fails, a file that was there before is still whole. Throws `run/disk-full`, `run/unwritable`, or what fetching throws.
 */
export async function writeTensorFile(
  path: string,
  tensors: readonly (TensorToStore | TensorToFetch)[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  await writeWhole([{ path, parts: encodeSafetensors(tensors, metadata) }]);
}
