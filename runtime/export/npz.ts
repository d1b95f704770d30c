/** NumPy's archive of arrays: a zip file of `.npy` files that are stored as they are, with 64-bit sizes where they are needed. */

import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";

export interface NpyToStore {
  readonly name: string;
  readonly header: Uint8Array;
  /** Bytes in pieces. */
  readonly data: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** The first bytes of an array file, filled up so that its numbers start at a multiple of 64. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = 10;
  const length = Math.ceil((start + dictionary.length + 1) / 64) * 64;
  const text = `${dictionary.padEnd(length - start - 1)}\n`;
  const header = Buffer.alloc(length);
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(text.length, 8);
  header.write(text, start, "latin1");
  return header;
}

/** Texts as an array of as many code points each as the longest has. */
export function npyText(texts: readonly string[]): Pick<NpyToStore, "header" | "data"> {
  const width = texts.reduce((most, text) => Math.max(most, [...text].length), 1);
  return { header: npyHeader(`<U${width}`, [texts.length]), data: codePoints(texts, width) };
}

function* codePoints(texts: readonly string[], width: number): Generator<Uint8Array> {
  const together = 1024;
  for (let at = 0; at < texts.length; at += together) {
    const some = texts.slice(at, at + together);
    const points = new Uint32Array(some.length * width);
    for (const [i, text] of some.entries()) {
      points.set(
        Array.from(text, (character) => character.codePointAt(0) as number),
        i * width,
      );
    }
    yield new Uint8Array(points.buffer);
  }
}

interface Entry {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/** Writes an archive from the beginning of a file on. */
export async function writeNpz(file: FileHandle, arrays: readonly NpyToStore[]): Promise<void> {
  const entries: Entry[] = [];
  let at = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
    at += bytes.length;
  };
  for (const { name, header, data } of arrays) {
    const offset = at;
    const entry = { name: Buffer.from(`${name}.npy`), crc: 0, size: 0, offset };
    await put(localHeader(entry));
    const start = at;
    let crc = crc32(header);
    await put(header);
    for await (const piece of data) {
      crc = crc32(piece, crc);
      await put(piece);
    }
    const whole = { ...entry, crc, size: at - start };
    // Now that they are known, sizes and checksum go into the same bytes again.
    const end = at;
    at = offset;
    await put(localHeader(whole));
    at = end;
    entries.push(whole);
  }
  const directory = Buffer.concat(entries.map(directoryEntry));
  const offset = at;
  await put(directory);
  await put(endOf(entries.length, directory.length, offset));
}

const most32 = 0xffffffff;
const most16 = 0xffff;
/** Of readers that know 64-bit sizes. */
const neededVersion = 45;
/** The first day that the format knows. */
const firstDay = 0x21;

/** Its sizes are always written in 64 bits, so that it is as long before they are known as after. */
function localHeader({ name, crc, size }: Entry): Buffer {
  const header = Buffer.alloc(30 + 20);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(neededVersion, 4);
  header.writeUInt16LE(firstDay, 12);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(most32, 18);
  header.writeUInt32LE(most32, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(20, 28);
  const extra = header.subarray(30);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(16, 2);
  extra.writeBigUInt64LE(BigInt(size), 4);
  extra.writeBigUInt64LE(BigInt(size), 12);
  return Buffer.concat([header.subarray(0, 30), name, extra]);
}

function directoryEntry({ name, crc, size, offset }: Entry): Buffer {
  const isWide = size >= most32 || offset >= most32;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(neededVersion, 4);
  header.writeUInt16LE(neededVersion, 6);
  header.writeUInt16LE(firstDay, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(isWide ? most32 : size, 20);
  header.writeUInt32LE(isWide ? most32 : size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(isWide ? 28 : 0, 30);
  header.writeUInt32LE(isWide ? most32 : offset, 42);
  if (!isWide) return Buffer.concat([header, name]);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  for (const [i, value] of [size, size, offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return Buffer.concat([header, name, extra]);
}

function endOf(count: number, length: number, offset: number): Buffer {
  const isWide = offset >= most32 || count >= most16;
  const wide = Buffer.alloc(isWide ? 56 + 20 : 0);
  if (isWide) {
    wide.writeUInt32LE(0x06064b50, 0);
    wide.writeBigUInt64LE(44n, 4);
    wide.writeUInt16LE(neededVersion, 12);
    wide.writeUInt16LE(neededVersion, 14);
    for (const [i, value] of [count, count, length, offset].entries()) wide.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
    wide.writeUInt32LE(0x07064b50, 56);
    wide.writeBigUInt64LE(BigInt(offset + length), 64);
    wide.writeUInt32LE(1, 72);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, most16), 8);
  end.writeUInt16LE(Math.min(count, most16), 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(isWide ? most32 : offset, 16);
  return Buffer.concat([wide, end]);
}
