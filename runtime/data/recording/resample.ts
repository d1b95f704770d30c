/**
 * Another sampling rate by a windowed sinc, the numbers of `torchaudio.functional.resample`: what lies beyond both ends is 0. Any part
 * of the result is computed from that part of the recording alone.
 */

import type { SincFilter } from "../../../blocks/index.js";
import { BrokenRecording, checkHeld, type Recording } from "./recording.js";

/** Two rates without their common divisors. */
interface Ratio {
  readonly from: number;
  readonly to: number;
}

/** What one sample of the result takes: `weights[k]` of the sample `first + k`, counted from where its turn begins. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Weights that are kept: of rates with few phases, which are nearly all. */
const mostKept = 2 ** 20;
/** Rates are compared in thousandths of a hertz. */
const finest = 1000;

/** The recording at `rate`; the same one where it has it. Throws `BrokenRecording`. */
export function resampled(recording: Recording, rate: number, filter: SincFilter): Recording {
  if (recording.rate === null) {
    throw new BrokenRecording("it does not say how many samples a second it has, so that it cannot be resampled");
  }
  if (recording.rate === rate) return recording;
  const { from, to } = ratioOf(recording.rate, rate);
  const tapsOf = tapsFor({ from, to }, filter);
  const reach = Math.ceil((filter.width * from) / (Math.min(from, to) * filter.rolloff)) + 1;
  const { channels, names } = recording;
  return {
    channels,
    names,
    rate,
    length: Math.ceil((to * recording.length) / from),
    async read(begin, end) {
      const start = Math.max(0, Math.floor(begin / to) * from - reach);
      const stop = Math.min(recording.length, Math.ceil(end / to) * from + reach);
      checkHeld(stop - start, channels);
      checkHeld(end - begin, channels);
      const all = await recording.read(start, stop);
      const result = all.map(() => new Float64Array(end - begin));
      for (let i = 0; i < end - begin; i++) {
        const phase = (begin + i) % to;
        const { first, weights } = tapsOf(phase);
        const at = ((begin + i - phase) / to) * from + first - start;
        const [low, high] = [Math.max(0, -at), Math.min(weights.length, stop - start - at)];
        for (const [c, values] of all.entries()) {
          let sum = 0;
          for (let k = low; k < high; k++) sum += (weights[k] as number) * (values[at + k] as number);
          (result[c] as Float64Array)[i] = sum;
        }
      }
      return result;
    },
  };
}

function ratioOf(from: number, to: number): Ratio {
  const [a, b] = [Math.round(from * finest), Math.round(to * finest)];
  if (a === 0) throw new BrokenRecording(`it has ${from} samples a second, too few to be resampled`);
  const divisor = greatestDivisor(a, b);
  return { from: a / divisor, to: b / divisor };
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** The taps of each phase: of the samples that lie equally between those of the recording. */
function tapsFor({ from, to }: Ratio, { width, rolloff, beta }: SincFilter): (phase: number) => Taps {
  const base = Math.min(from, to) * rolloff;
  const half = (width * from) / base;
  const kept = new Map<number, Taps>();
  const isKept = to * 2 * half < mostKept;
  const fade = windowOf(width, beta);
  return (phase) => {
    const known = kept.get(phase);
    if (known) return known;
    const centre = (phase / to) * from;
    const first = Math.ceil(centre - half);
    const weights = new Float64Array(Math.max(0, Math.floor(centre + half) - first + 1));
    for (let k = 0; k < weights.length; k++) {
      const t = ((first + k) / from - phase / to) * base;
      weights[k] = (sinc(Math.PI * t) * fade(t) * base) / from;
    }
    const taps = { first, weights };
    if (isKept) kept.set(phase, taps);
    return taps;
  };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x) / x);

/** 0 or nearly at `width` crossings of zero. */
function windowOf(width: number, beta: number | null): (t: number) => number {
  if (beta === null) return (t) => Math.cos((t * Math.PI) / width / 2) ** 2;
  const whole = bessel(beta);
  return (t) => bessel(beta * Math.sqrt(Math.max(0, 1 - (t / width) ** 2))) / whole;
}

/** The modified Bessel function of order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}
