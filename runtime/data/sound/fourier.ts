/** The discrete Fourier transform for lengths that are powers of two, and of real numbers the power of each frequency. */

import { invariant } from "../../../graph/index.js";

/** Complex numbers, real and imaginary parts by turns -> theirs, in memory that the next call uses again. The input stays as it is. */
type Transform = (values: Float64Array) => Float64Array;

/**
 * A step of the transform: sequences of `length` numbers, `count` of them by turns, become `radix` times as many that are as much shorter. The
 * numbers of sequence q at place p are `turns`, for q from 1 on.
 */
interface Stage {
  readonly radix: 2 | 4;
  /** Numbers of a sequence afterwards. */
  readonly length: number;
  readonly count: number;
  readonly turns: Float64Array;
}

/** The transform of one length, by Stockham: its steps write what they read elsewhere in order, so that nothing is sorted. */
export function transform(length: number): Transform {
  invariant(length >= 1 && Number.isInteger(Math.log2(length)), `a transform of ${length} values`);
  const stages = stagesOf(length);
  const [even, odd] = [new Float64Array(2 * length), new Float64Array(2 * length)];
  return (values) =>
    stages.reduce((from, stage, i) => {
      const to = i % 2 === 0 ? even : odd;
      (stage.radix === 4 ? inFour : inTwo)(from, to, stage);
      return to;
    }, values);
}

function stagesOf(whole: number): readonly Stage[] {
  const stages: Stage[] = [];
  for (let left = whole, count = 1; left > 1; ) {
    const radix = left % 4 === 0 ? 4 : 2;
    const length = left / radix;
    const turns = Float64Array.from({ length: 2 * length * (radix - 1) }, (_, i) => {
      const [part, pair] = [i % 2, Math.floor(i / 2)];
      const angle = (2 * Math.PI * Math.floor(pair / (radix - 1)) * ((pair % (radix - 1)) + 1)) / left;
      return part === 0 ? Math.cos(angle) : -Math.sin(angle);
    });
    stages.push({ radix, length, count, turns });
    [left, count] = [length, count * radix];
  }
  return stages;
}

/** Halves of sequences: their sums, and their differences turned. */
function inTwo(from: Float64Array, to: Float64Array, { length, count, turns }: Stage): void {
  const half = 2 * count * length;
  for (let p = 0; p < length; p++) {
    const cos = turns[2 * p] as number;
    const sin = turns[2 * p + 1] as number;
    for (let q = 0; q < count; q++) {
      const a = 2 * (q + count * p);
      const b = 2 * (q + 2 * count * p);
      const re = from[a] as number;
      const im = from[a + 1] as number;
      const otherRe = from[a + half] as number;
      const otherIm = from[a + half + 1] as number;
      to[b] = re + otherRe;
      to[b + 1] = im + otherIm;
      putTurned(to, b + 2 * count, re - otherRe, im - otherIm, cos, sin);
    }
  }
}

/** Quarters of sequences: as halves of halves, in one go. */
function inFour(from: Float64Array, to: Float64Array, { length, count, turns }: Stage): void {
  const quarter = 2 * count * length;
  for (let p = 0; p < length; p++) {
    const cos1 = turns[6 * p] as number;
    const sin1 = turns[6 * p + 1] as number;
    const cos2 = turns[6 * p + 2] as number;
    const sin2 = turns[6 * p + 3] as number;
    const cos3 = turns[6 * p + 4] as number;
    const sin3 = turns[6 * p + 5] as number;
    for (let q = 0; q < count; q++) {
      const a = 2 * (q + count * p);
      const c = a + 2 * quarter;
      const evenRe = (from[a] as number) + (from[c] as number);
      const evenIm = (from[a + 1] as number) + (from[c + 1] as number);
      const acrossRe = (from[a] as number) - (from[c] as number);
      const acrossIm = (from[a + 1] as number) - (from[c + 1] as number);
      const b = a + quarter;
      const d = c + quarter;
      const oddRe = (from[b] as number) + (from[d] as number);
      const oddIm = (from[b + 1] as number) + (from[d + 1] as number);
      const besideRe = (from[b + 1] as number) - (from[d + 1] as number);
      const besideIm = (from[d] as number) - (from[b] as number);
      const first = 2 * (q + 4 * count * p);
      to[first] = evenRe + oddRe;
      to[first + 1] = evenIm + oddIm;
      putTurned(to, first + 2 * count, acrossRe + besideRe, acrossIm + besideIm, cos1, sin1);
      putTurned(to, first + 4 * count, evenRe - oddRe, evenIm - oddIm, cos2, sin2);
      putTurned(to, first + 6 * count, acrossRe - besideRe, acrossIm - besideIm, cos3, sin3);
    }
  }
}

/** The product of two complex numbers. */
function putTurned(to: Float64Array, at: number, re: number, im: number, cos: number, sin: number): void {
  to[at] = re * cos - im * sin;
  to[at + 1] = re * sin + im * cos;
}

/** Writes |X[k]|^2 for k < length / 2 into `power`. */
type PowerSpectrum = (values: Float64Array, power: Float64Array) => void;

/** Of real numbers, those at even and odd places are the real and imaginary parts of half as many complex ones. */
export function powerSpectrum(length: number): PowerSpectrum {
  const half = length / 2;
  const run = transform(half);
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / length) / 2);
  const sin = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / length) / 2);
  return (values, power) => {
    const both = run(values);
    power[0] = ((both[0] as number) + (both[1] as number)) ** 2;
    for (let k = 1; k < half; k++) {
      const a = 2 * k;
      const b = length - a;
      // Twice what the odd places have, a quarter of a turn back.
      const oddRe = (both[a + 1] as number) + (both[b + 1] as number);
      const oddIm = (both[b] as number) - (both[a] as number);
      const c = cos[k] as number;
      const s = sin[k] as number;
      const re = ((both[a] as number) + (both[b] as number)) / 2 + oddRe * c + oddIm * s;
      const im = ((both[a + 1] as number) - (both[b + 1] as number)) / 2 + oddIm * c - oddRe * s;
      power[k] = re * re + im * im;
    }
  };
}
