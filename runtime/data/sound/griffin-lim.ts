/**
 * A rough sound of a spectrogram on the mel scale: its bands spread over frequencies, and phases found by Griffin and Lim, "Signal Estimation from
 * Modified Short-Time Fourier Transform", 1984. What a band of many frequencies held is lost, so that it is heard as if through a wall.
 */

import { randomStream } from "../../../graph/index.js";
import {
  type Filterbank,
  frameSizes,
  melBands,
  preemphasis,
  samplesOf,
  transformLength,
  windowOf,
} from "./filterbank.js";
import { transform } from "./fourier.js";

const rounds = 32;
/** The loudest sample. */
const peak = 0.7;

/** Samples in [-1, 1] whose spectrogram is nearly `energies`, [frames, mels] logarithms. */
export function soundFromLogMel(energies: Float64Array, bank: Filterbank): Float64Array {
  const frames = energies.length / bank.mels;
  const { length } = frameSizes(bank);
  const padded = transformLength(length);
  const magnitudes = spread(energies, bank, padded);
  const random = randomStream(0, "augment");
  let phases: Float64Array = Float64Array.from({ length: magnitudes.length }, () => 2 * Math.PI * random.uniform());
  let samples = overlapped(magnitudes, phases, frames, bank);
  for (let round = 0; round < rounds; round++) {
    phases = phasesOf(samples, frames, bank);
    samples = overlapped(magnitudes, phases, frames, bank);
  }
  for (let i = 1; i < samples.length; i++)
    samples[i] = (samples[i] as number) + preemphasis * (samples[i - 1] as number);
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  return samples.map((value) => (value * peak) / loudest);
}

/** The magnitude of each frequency, [frames, padded / 2 + 1]: each band gives its energy to its frequencies as it took it. */
function spread(energies: Float64Array, bank: Filterbank, padded: number): Float64Array {
  const bands = melBands(bank, padded);
  const bins = padded / 2 + 1;
  const shares = new Float64Array(bins);
  const sums = bands.map(({ weights }) => weights.reduce((sum, weight) => sum + weight, 0));
  for (const { first, weights } of bands) {
    for (const [k, weight] of weights.entries()) shares[first + k] = (shares[first + k] as number) + weight;
  }
  const frames = energies.length / bank.mels;
  const result = new Float64Array(frames * bins);
  for (let f = 0; f < frames; f++) {
    for (const [m, { first, weights }] of bands.entries()) {
      const density = Math.exp(Math.min(80, energies[f * bank.mels + m] as number)) / Math.max(1e-9, sums[m] as number);
      for (const [k, weight] of weights.entries()) {
        const at = f * bins + first + k;
        result[at] = (result[at] as number) + (density * weight) / Math.max(1e-9, shares[first + k] as number);
      }
    }
  }
  return result.map(Math.sqrt);
}

/** Sound whose frames are nearest to these, added up where they overlap. */
function overlapped(magnitudes: Float64Array, phases: Float64Array, frames: number, bank: Filterbank): Float64Array {
  const { length, shift } = frameSizes(bank);
  const padded = transformLength(length);
  const bins = padded / 2 + 1;
  const window = windowOf(bank.window, length);
  const run = transform(padded);
  const result = new Float64Array(samplesOf(frames, bank));
  const weights = new Float64Array(result.length);
  // The inverse is the transform with both parts exchanged, before and after.
  const exchanged = new Float64Array(2 * padded);
  for (let f = 0; f < frames; f++) {
    for (let k = 0; k < bins; k++) {
      const at = f * bins + k;
      const re = Math.cos(phases[at] as number) * (magnitudes[at] as number);
      const im = Math.sin(phases[at] as number) * (magnitudes[at] as number);
      exchanged[2 * k] = im;
      exchanged[2 * k + 1] = re;
      if (k > 0 && k < padded / 2) {
        exchanged[2 * (padded - k)] = -im;
        exchanged[2 * (padded - k) + 1] = re;
      }
    }
    const frame = run(exchanged);
    for (let i = 0; i < length; i++) {
      const at = f * shift + i;
      result[at] = (result[at] as number) + ((frame[2 * i + 1] as number) / padded) * (window[i] as number);
      weights[at] = (weights[at] as number) + (window[i] as number) ** 2;
    }
  }
  return result.map((value, i) => value / Math.max(1e-3, weights[i] as number));
}

function phasesOf(samples: Float64Array, frames: number, bank: Filterbank): Float64Array {
  const { length, shift } = frameSizes(bank);
  const padded = transformLength(length);
  const bins = padded / 2 + 1;
  const window = windowOf(bank.window, length);
  const run = transform(padded);
  const result = new Float64Array(frames * bins);
  const frame = new Float64Array(2 * padded);
  for (let f = 0; f < frames; f++) {
    for (let i = 0; i < length; i++) frame[2 * i] = (samples[f * shift + i] as number) * (window[i] as number);
    const found = run(frame);
    for (let k = 0; k < bins; k++)
      result[f * bins + k] = Math.atan2(found[2 * k + 1] as number, found[2 * k] as number);
  }
  return result;
}
