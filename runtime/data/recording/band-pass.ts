/**
 * Filters of Butterworth without a shift in time: forwards and backwards over a recording that is continued at both ends by its own point
 * reflection. The numbers are those of scipy's `sosfiltfilt(butter(order, ..., output="sos"), x)`.
 */

import { BrokenRecording } from "./recording.js";

/** Of second order or, where both last numbers are 0, of first: `y = (b0 x + b1 x' + b2 x'') - a1 y' - a2 y''`. */
type Section = readonly [b0: number, b1: number, b2: number, a1: number, a2: number];

export interface PassBand {
  /** Hertz below which frequencies are taken out; null: none. */
  readonly low: number | null;
  /** Hertz above which they are. */
  readonly high: number | null;
  /** Of each of both filters, before they run twice. */
  readonly order: number;
}

/** Filters one channel. Throws `BrokenRecording` where it is too short, or a frequency is none that it has. */
export function filtered(values: Float64Array, rate: number, { low, high, order }: PassBand): Float64Array {
  const sharp = low === null ? values : bothWays(values, sectionsOf(order, share(low, rate), "high"), order);
  return high === null ? sharp : bothWays(sharp, sectionsOf(order, share(high, rate), "low"), order);
}

/** Of the highest frequency that there is. */
function share(frequency: number, rate: number): number {
  if (frequency < rate / 2) return frequency / (rate / 2);
  throw new BrokenRecording(
    `it has ${rate} samples a second, and no frequencies of ${frequency} Hz and above can be told`,
  );
}

/** By the bilinear transform of the poles on a half circle: pairs of conjugates, and of an odd order a single one. */
function sectionsOf(order: number, edge: number, kind: "low" | "high"): readonly Section[] {
  const warped = Math.tan((Math.PI * edge) / 2);
  const sign = kind === "low" ? 1 : -1;
  return Array.from({ length: Math.ceil(order / 2) }, (_, k): Section => {
    const angle = (Math.PI * (2 * k + 1)) / (2 * order);
    const isSingle = 2 * k + 1 === order;
    if (isSingle) {
      const gain = (kind === "low" ? warped : 1) / (1 + warped);
      return [gain, sign * gain, 0, (warped - 1) / (warped + 1), 0];
    }
    const damping = 2 * Math.sin(angle);
    const whole = 1 + damping * warped + warped ** 2;
    const gain = (kind === "low" ? warped ** 2 : 1) / whole;
    return [gain, sign * 2 * gain, gain, (2 * (warped ** 2 - 1)) / whole, (1 - damping * warped + warped ** 2) / whole];
  });
}

function bothWays(values: Float64Array, sections: readonly Section[], order: number): Float64Array {
  const edge = 3 * (order + 1);
  const { length } = values;
  if (length <= edge) {
    throw new BrokenRecording(`it has ${length} samples, and a filter of order ${order} needs more than ${edge}`);
  }
  const [first, last] = [values[0] as number, values[length - 1] as number];
  const long = new Float64Array(length + 2 * edge);
  long.set(values, edge);
  for (let i = 0; i < edge; i++) {
    long[i] = 2 * first - (values[edge - i] as number);
    long[edge + length + i] = 2 * last - (values[length - 2 - i] as number);
  }
  run(long, sections);
  long.reverse();
  run(long, sections);
  long.reverse();
  return long.slice(edge, edge + length);
}

/** In place, as if the first value had always been there. */
function run(values: Float64Array, sections: readonly Section[]): void {
  let level = values[0] as number;
  for (const [b0, b1, b2, a1, a2] of sections) {
    const steady = (level * (b0 + b1 + b2)) / (1 + a1 + a2);
    let second = b2 * level - a2 * steady;
    let first = b1 * level - a1 * steady + second;
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number;
      const y = b0 * x + first;
      first = b1 * x - a1 * y + second;
      second = b2 * x - a2 * y;
      values[i] = y;
    }
    level = steady;
  }
}
