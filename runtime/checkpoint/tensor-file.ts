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

/** A tensor of an open file. */
export interface LazyTensor {
  readonly shape: readonly number[];
  readonly read: () => Promise<StoredTensor>;
}

export type Tensors = ReadonlyMap<string, LazyTensor>;

/**
 * Gives the tensors of a safetensors file, to be read while `use` goes on. Throws `run/safetensors` or `run/unreadable`, also for what is
 * wrong with a tensor that is not read, and what `use` throws.
 */
export async function withTensorFile<T>(
  path: string,
  use: (tensors: Tensors, metadata: TensorFile["metadata"]) => Promise<T>,
): Promise<T> {
  const { file, size } = await openNamedFile(path);
  const read = (begin: number, length: number): Promise<Uint8Array> =>
    readBytes(file, begin, length).catch((error: unknown) => {
      throw notRead(path, error);
    });
  try {
    const length = headerLength(await read(0, Math.min(lengthBytes, size)), size, path);
    const header = parseHeader(await read(lengthBytes, length), size - lengthBytes - length, path);
    const tensors = [...header.entries].map(([name, { dtype, shape, begin, end }]) => {
      const values = async () => decodeTensor(dtype, await read(header.dataStart + begin, end - begin));
      return [name, { shape, read: async () => ({ dtype, shape, values: await values() }) }] as const;
    });
    return await use(new Map(tensors), header.metadata);
  } finally {
    await file.close();
  }
}

/** Reads a safetensors file: the tensors whose names are wanted, without which all. Throws as `withTensorFile`. */
export const readTensorFile = (path: string, isWanted: (name: string) => boolean = () => true): Promise<TensorFile> =>
  withTensorFile(path, async (all, metadata) => {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, tensor] of all) if (isWanted(name)) tensors.set(name, await tensor.read());
    return { tensors, metadata };
  });

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
