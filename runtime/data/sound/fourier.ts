/** The discrete Fourier transform for lengths that are powers of two, and of real numbers the power of each frequency. */

import { invariant } from "../../../graph/index.js";

/** In place. */
type Transform = (real: Float64Array, imaginary: Float64Array) => void;

/** The transform of one length, by Cooley and Tukey: halves of halves, from pairs upwards. */
export function transform(length: number): Transform {
  invariant(length >= 2 && Number.isInteger(Math.log2(length)), `a transform of ${length} values`);
  const half = length / 2;
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / length));
  const sin = Float64Array.from({ length: half }, (_, k) => -Math.sin((2 * Math.PI * k) / length));
  const swaps = reversedPairs(length);
  return (real, imaginary) => {
    for (let i = 0; i < swaps.length; i += 2) {
      exchange(real, swaps[i] as number, swaps[i + 1] as number);
      exchange(imaginary, swaps[i] as number, swaps[i + 1] as number);
    }
    for (let size = 2; size <= length; size *= 2) {
      const step = length / size;
      for (let begin = 0; begin < length; begin += size) {
        for (let k = 0; k < size / 2; k++) {
          const a = begin + k;
          const b = a + size / 2;
          const c = cos[k * step] as number;
          const s = sin[k * step] as number;
          const turnedRe = (real[b] as number) * c - (imaginary[b] as number) * s;
          const turnedIm = (real[b] as number) * s + (imaginary[b] as number) * c;
          real[b] = (real[a] as number) - turnedRe;
          imaginary[b] = (imaginary[a] as number) - turnedIm;
          real[a] = (real[a] as number) + turnedRe;
          imaginary[a] = (imaginary[a] as number) + turnedIm;
        }
      }
    }
  };
}

function exchange(values: Float64Array, a: number, b: number): void {
  const kept = values[a] as number;
  values[a] = values[b] as number;
  values[b] = kept;
}

/** Writes |X[k]|^2 for k < length / 2 into `power`; `values` is used up. */
export type PowerSpectrum = (values: Float64Array, power: Float64Array) => void;

export function powerSpectrum(length: number): PowerSpectrum {
  const run = transform(length);
  const imaginary = new Float64Array(length);
  return (real, power) => {
    imaginary.fill(0);
    run(real, imaginary);
    for (let k = 0; k < length / 2; k++) power[k] = (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
  };
}

/** Places that change with each other when the bits of each are read backwards, two after two. */
function reversedPairs(length: number): Int32Array {
  const bits = Math.log2(length);
  const reversed = (i: number): number => {
    let result = 0;
    for (let bit = 0; bit < bits; bit++) result = result * 2 + ((i >> bit) & 1);
    return result;
  };
  const pairs = Array.from({ length }, (_, i) => [i, reversed(i)] as const);
  return Int32Array.from(pairs.filter(([i, other]) => i < other).flat());
}
