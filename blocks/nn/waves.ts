/**
 * The ideal low-pass filter of an image, in real numbers: frequencies come in pairs of a sine and a cosine, and the filter treats
 * both alike, so that two orthonormal bases, one for rows and one for columns, stand for the discrete Fourier transform.
 */

import type { ImageShape } from "../arrays.js";

/** Orthonormal waves of one axis as rows of a matrix, and the frequency of each in cycles across the axis. */
export interface Waves {
  readonly frequencies: readonly number[];
  /** [frequencies, length], row by row. */
  readonly matrix: Float32Array;
}

/** The waves of an axis of `length` pixels up to a frequency. */
export function waves(length: number, highest: number): Waves {
  const frequencies: number[] = [];
  const rows: number[][] = [];
  const add = (frequency: number, wave: (angle: number) => number, norm: number): void => {
    const row = Array.from({ length }, (_, i) => norm * wave((2 * Math.PI * ((frequency * i) % length)) / length));
    frequencies.push(frequency);
    rows.push(row);
  };
  for (let frequency = 0; frequency <= Math.min(highest, length / 2); frequency++) {
    // The lowest and, of an even length, the highest have no sine.
    const isAlone = frequency === 0 || 2 * frequency === length;
    add(frequency, Math.cos, Math.sqrt((isAlone ? 1 : 2) / length));
    if (!isAlone) add(frequency, Math.sin, Math.sqrt(2 / length));
  }
  return { frequencies, matrix: Float32Array.from(rows.flat()) };
}

/** a [rows, inner] times b [inner, columns], or its transpose [columns, inner]. */
function product(a: Float32Array, b: Float32Array, inner: number, transposed: boolean): Float32Array {
  const rows = a.length / inner;
  const columns = b.length / inner;
  const [down, across] = transposed ? [1, inner] : [columns, 1];
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += (a[row * inner + i] as number) * (b[i * down + column * across] as number);
    return sum;
  });
}

const transposed = (a: Float32Array, columns: number): Float32Array =>
  a.map((_, at) => a[(at % (a.length / columns)) * columns + Math.floor(at / (a.length / columns))] as number);

/** What `lowPass` gives for one image [H, W, C], computed on the host. */
export function lowPassed(pixels: Float32Array, { height, width, channels }: ImageShape, radius: number): Float32Array {
  const [down, across] = [waves(height, radius), waves(width, radius)];
  const kept = passed(down, across, radius);
  const v = across.frequencies.length;
  const result = new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const plane = Float32Array.from({ length: height * width }, (_, i) => pixels[i * channels + channel] as number);
    const spectrum = product(down.matrix, product(plane, across.matrix, width, true), height, false); // [u, v]
    const filtered = spectrum.map((value, i) => value * (kept[i] as number));
    const wide = product(filtered, across.matrix, v, false); // [u, W]
    const back = product(transposed(down.matrix, height), wide, down.frequencies.length, false); // [H, W]
    for (const [i, value] of back.entries()) result[i * channels + channel] = value;
  }
  return result;
}

/** [down, across]: 1 where the two frequencies together lie within the radius. */
export const passed = (down: Waves, across: Waves, radius: number): Float32Array =>
  Float32Array.from(
    down.frequencies.flatMap((u) => across.frequencies.map((v) => (u * u + v * v <= radius * radius ? 1 : 0))),
  );
