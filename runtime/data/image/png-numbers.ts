/**
 * The numbers that a PNG file has for its pixels, before they become colours: of a palette the place in it, of grey the level, of whatever
 * bits. Decoders give what such a file looks like; who keeps classes in one needs them as they are.
 */

import { inflateSync } from "node:zlib";
import type { Raster } from "./raster.js";

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly interlaced: boolean;
}

const signature = "\x89PNG\r\n\x1a\n";
const grey = 0;
const palette = 3;

/** The header of a PNG file of a palette or of grey levels of at most 8 bits; null: it is another file. */
export function numbersHeader(bytes: Buffer): Header | null {
  if (bytes.length < 33 || bytes.toString("latin1", 0, 8) !== signature) return null;
  const [depth, kind] = [bytes[24] as number, bytes[25] as number];
  if ((kind !== palette && kind !== grey) || depth > 8) return null;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), depth, interlaced: bytes[28] === 1 };
}

/** All of the compressed picture. */
function compressed(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = signature.length; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}

/** What was foretold of a byte by those to its left, above and between. */
function paeth(left: number, above: number, between: number): number {
  const guess = left + above - between;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - between)];
  return a <= b && a <= c ? left : b <= c ? above : between;
}

/** Adds to each byte of a row what its filter foretold; a pixel has at most one byte. */
function unfilter(row: Buffer, above: Buffer | null, filter: number): void {
  for (let i = 0; i < row.length; i++) {
    const [left, up, between] = [row[i - 1] ?? 0, above?.[i] ?? 0, i === 0 ? 0 : (above?.[i - 1] ?? 0)];
    const foretold = [0, left, up, (left + up) >> 1, paeth(left, up, between)][filter];
    if (foretold === undefined) throw new Error(`a row has the filter ${filter}, which PNG has not`);
    row[i] = (row[i] as number) + foretold;
  }
}

/** Throws an error that says what is wrong with the file. */
export function readPngNumbers(bytes: Buffer, { width, height, depth, interlaced }: Header): Raster {
  if (interlaced) throw new Error("it is interlaced");
  const stride = Math.ceil((width * depth) / 8);
  const size = height * (1 + stride);
  const data = inflateSync(compressed(bytes), { maxOutputLength: size + 1 });
  if (data.length !== size) throw new Error(`it holds ${data.length} bytes and its header says ${size}`);
  const pixels = new Float32Array(width * height);
  let above: Buffer | null = null;
  for (let y = 0; y < height; y++) {
    const start = y * (1 + stride);
    const row: Buffer = data.subarray(start + 1, start + 1 + stride);
    unfilter(row, above, data[start] as number);
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      pixels[y * width + x] = ((row[bit >> 3] as number) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
    above = row;
  }
  return { pixels, height, width, channels: 1 };
}
