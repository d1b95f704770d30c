/**
 * Spectrograms on the mel scale as Kaldi makes them, and with it `torchaudio.compliance.kaldi.fbank`: frames of time from the
 * first sample on, each without its mean, sharpened (pre-emphasis), windowed and padded to a power of two; the power of its
 * frequencies in triangular bands; the natural logarithm. No dither, no energy, no warping of frequencies.
 */

import type { FrameWindow, SoundShape } from "../../../blocks/index.js";
import { powerSpectrum } from "./fourier.js";

/** How a spectrogram is made, and its bands of frequencies. */
export interface Filterbank extends SoundShape {
  readonly mels: number;
}

/** How much of the sample before is taken away. */
export const preemphasis = 0.97;
/** Least power: the distance of single-precision numbers at 1. */
const leastPower = 2 ** -23;

type Timing = Pick<SoundShape, "rate" | "length" | "shift">;

/** Samples of a frame and between the beginnings of two, as Kaldi cuts fractions off. */
export const frameSizes = ({ rate, length, shift }: Timing) => ({
  length: Math.trunc(rate * length * 0.001),
  shift: Math.trunc(rate * shift * 0.001),
});

/** Whole frames in so many samples. */
export function framesIn(samples: number, bank: Timing): number {
  const { length, shift } = frameSizes(bank);
  return samples < length ? 0 : 1 + Math.floor((samples - length) / shift);
}

/** Samples from the beginning of the first of so many frames to the end of the last. */
export function samplesOf(frames: number, bank: Timing): number {
  const { length, shift } = frameSizes(bank);
  return length + (frames - 1) * shift;
}

/** Numbers that a transform takes. */
export const transformLength = (frame: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, frame)));

/** The logarithms of one channel of sound, [frames, mels] in memory of their own; frames that are not whole are left out. */
export type LogMel = (samples: Float64Array) => Float64Array;

export function logMel(bank: Filterbank): LogMel {
  const { length, shift } = frameSizes(bank);
  const padded = transformLength(length);
  const window = windowOf(bank.window, length);
  const bands = melBands(bank, padded);
  const transform = powerSpectrum(padded);
  const frame = new Float64Array(padded);
  const power = new Float64Array(padded / 2);
  return (samples) => {
    const frames = framesIn(samples.length, bank);
    const result = new Float64Array(frames * bank.mels);
    for (let f = 0; f < frames; f++) {
      fillFrame(frame, samples, f * shift, window);
      transform(frame, power);
      for (let m = 0; m < bank.mels; m++) {
        const { first, weights } = bands[m] as Band;
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (power[first + k] as number);
        result[f * bank.mels + m] = Math.log(Math.max(sum, leastPower));
      }
    }
    return result;
  };
}

/** One frame from the sample `begin` on, without its mean, sharpened and windowed; behind it stay zeros. */
function fillFrame(frame: Float64Array, samples: Float64Array, begin: number, window: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < window.length; i++) sum += samples[begin + i] as number;
  const mean = sum / window.length;
  // The first sample has none before it, and is its own.
  let before = (samples[begin] as number) - mean;
  for (let i = 0; i < window.length; i++) {
    const value = (samples[begin + i] as number) - mean;
    frame[i] = (value - preemphasis * before) * (window[i] as number);
    before = value;
  }
}

/** Symmetrical, both ends included. */
export function windowOf(kind: FrameWindow, length: number): Float64Array {
  const raised = (least: number): Float64Array =>
    Float64Array.from({ length }, (_, i) => least - (1 - least) * Math.cos((2 * Math.PI * i) / (length - 1)));
  if (kind === "hanning") return raised(0.5);
  if (kind === "hamming") return raised(0.54);
  if (kind === "povey") return raised(0.5).map((value) => value ** 0.85);
  return new Float64Array(length).fill(1);
}

/** The weights of a band that are not 0, from the frequency `first` on. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

const mel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

const { fround } = Math;
/** The same in single precision, step by step. */
const singleMel = (hertz: number): number => fround(1127 * fround(Math.log(fround(1 + fround(hertz / 700)))));

/**
 * Triangles that are equally wide on the mel scale, each up to the middle of the next. torchaudio computes them in single
 * precision whatever the sound has; where a band holds one frequency near its edge, that is seen in the fourth digit.
 */
export function melBands({ rate, mels, low, high }: Filterbank, padded: number): readonly Band[] {
  const [from, to] = [mel(low), mel(high ?? rate / 2)];
  const width = fround((to - from) / (mels + 1));
  const edge = (m: number): number => fround(fround(from) + fround(m * width));
  const places = Array.from({ length: padded / 2 }, (_, k) => singleMel(fround(fround(rate / padded) * k)));
  return Array.from({ length: mels }, (_, m) => {
    const [left, middle, right] = [edge(m), edge(m + 1), edge(m + 2)];
    const weights = places.map((place) =>
      Math.min(
        fround(fround(place - left) / fround(middle - left)),
        fround(fround(right - place) / fround(right - middle)),
      ),
    );
    const first = weights.findIndex((weight) => weight > 0);
    const end = weights.findLastIndex((weight) => weight > 0) + 1;
    return first < 0
      ? { first: 0, weights: new Float64Array(0) }
      : { first, weights: Float64Array.from(weights.slice(first, end)) };
  });
}
