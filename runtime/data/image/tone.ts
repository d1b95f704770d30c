/**
 * Steps that change the values of pixels of 8 bits and leave them where they are: as Pillow and torchvision do, whose rounding they have.
 */

import { RunError } from "../../run-error.js";
import type { Raster, Step, Tone } from "./raster.js";

interface Bytes extends Raster {
  readonly pixels: Uint8Array;
}

/** Carries out one step. Throws `run/channels` for pixels that are no bytes. */
export function applyTone(raster: Raster, step: Tone): Raster {
  const { pixels } = raster;
  if (!(pixels instanceof Uint8Array)) {
    throw new RunError("run/channels", {
      what: "The recipe changes colours, and the images have more than 8 bits or hold floats",
      help: "Save them with 8 bits a channel, or remove what changes colours, such as `color_jitter`, from the recipe's augment line.",
    });
  }
  return { ...raster, pixels: changed({ ...raster, pixels }, step) };
}

function changed(raster: Bytes, step: Tone): Uint8Array {
  switch (step.kind) {
    case "levels":
      return looked(raster.pixels, [step.table]);
    case "stretch":
      return stretched(raster, step.by === "range" ? rangeTable : rankTable);
    case "blend":
      return blended(raster, towards[step.towards](raster), Math.fround(step.factor));
    case "blur":
      return blurred(raster, step);
    case "hue":
      return raster.channels === 3 ? turned(raster.pixels, Math.trunc(step.turn * 255)) : raster.pixels;
  }
}

/** How often each value stands in a channel. */
function histogram({ pixels, channels }: Bytes, channel: number): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = channel; i < pixels.length; i += channels) {
    const value = pixels[i] as number;
    counts[value] = (counts[value] as number) + 1;
  }
  return counts;
}

/** Each channel by a table of its own; null: it stays. */
function stretched(raster: Bytes, tableOf: (counts: Uint32Array) => ArrayLike<number> | null): Uint8Array {
  const { channels } = raster;
  const tables = Array.from({ length: channels }, (_, channel) => tableOf(histogram(raster, channel)));
  const same = Uint8Array.from({ length: 256 }, (_, value) => value);
  return looked(
    raster.pixels,
    tables.map((table) => (table ? Uint8Array.from(table) : same)),
  );
}

/** Each byte looked up in the table of its channel. */
function looked(pixels: Uint8Array, tables: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pixels.length);
  for (const [channel, table] of tables.entries()) {
    for (let i = channel; i < pixels.length; i += tables.length) result[i] = table[pixels[i] as number] as number;
  }
  return result;
}

const clipped = (value: number): number => Math.max(0, Math.min(255, Math.trunc(value)));

/** The darkest value becomes 0 and the brightest 255. */
function rangeTable(counts: Uint32Array): ArrayLike<number> | null {
  const [low, high] = [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0)];
  if (high <= low) return null;
  const scale = 255 / (high - low);
  return Array.from(counts, (_, value) => clipped(value * scale - low * scale));
}

/** All values become equally frequent. */
function rankTable(counts: Uint32Array): ArrayLike<number> | null {
  const present = counts.filter((count) => count > 0);
  const all = present.reduce((sum, count) => sum + count, 0);
  const step = Math.floor((all - (present.at(-1) ?? 0)) / 255);
  if (present.length <= 1 || step === 0) return null;
  let before = Math.floor(step / 2);
  return Array.from(counts, (count) => {
    const value = clipped(Math.floor(before / step));
    before += count;
    return value;
  });
}

/** From the other pixels to these and beyond, cut off at both ends. The other picture has as many channels, or one for all of them. */
function blended({ pixels }: Bytes, other: Uint8Array, factor: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  const repeated = pixels.length / other.length;
  for (let i = 0, o = 0; i < pixels.length; o++) {
    const from = other[o] as number;
    for (const end = i + repeated; i < end; i++) {
      result[i] = clipped(Math.fround(from + Math.fround(factor * ((pixels[i] as number) - from))));
    }
  }
  return result;
}

/** What a picture is blended with: a number for each of its own, for each pixel, or one. */
const towards: Readonly<Record<Step<"blend">["towards"], (raster: Bytes) => Uint8Array>> = {
  black: () => Uint8Array.of(0),
  grey: greyOf,
  mean(raster) {
    const grey = greyOf(raster);
    let sum = 0;
    for (let i = 0; i < grey.length; i++) sum += grey[i] as number;
    return Uint8Array.of(Math.floor(sum / grey.length + 0.5));
  },
  smooth: smoothed,
};

/** ITU-R 601-2 luma. */
function greyOf({ pixels, channels }: Bytes): Uint8Array {
  if (channels === 1) return pixels;
  const result = new Uint8Array(pixels.length / channels);
  for (let i = 0, from = 0; i < result.length; i++, from += channels) {
    const [red, green, blue] = [pixels[from] as number, pixels[from + 1] as number, pixels[from + 2] as number];
    result[i] = (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16;
  }
  return result;
}

/** Each pixel five times and its eight neighbours once, over 13; the edge stays. */
function smoothed({ pixels, height, width, channels }: Bytes): Uint8Array {
  const result = pixels.slice();
  const row = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) {
      let sum = 4 * (pixels[i] as number);
      for (let k = i - row; k <= i + row; k += row) {
        sum += (pixels[k - channels] as number) + (pixels[k] as number) + (pixels[k + channels] as number);
      }
      result[i] = Math.floor(sum / 13 + 0.5);
    }
  }
  return result;
}

/** By rows, then by columns; what is beyond the edge is what lies before it, mirrored, as in torchvision. */
function blurred({ pixels, height, width, channels }: Bytes, { sigma, kernel }: Step<"blur">): Uint8Array {
  const half = (kernel - 1) / 2;
  const weights = Float64Array.from({ length: kernel }, (_, k) => Math.exp(-0.5 * ((k - half) / sigma) ** 2));
  const rows = weighedAlong(pixels, { rows: height, length: width, inner: channels }, weights);
  const both = weighedAlong(rows, { rows: 1, length: height, inner: width * channels }, weights);
  const result = new Uint8Array(both.length);
  for (let i = 0; i < result.length; i++) result[i] = Math.round(both[i] as number);
  return result;
}

/** The weighed mean of the places around each one, along the middle axis of [rows, length, inner]. */
function weighedAlong(
  values: ArrayLike<number>,
  { rows, length, inner }: { readonly rows: number; readonly length: number; readonly inner: number },
  weights: Float64Array,
): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const reach = weights.length;
  // Where the places around each one begin.
  const around = Int32Array.from(
    { length: length * reach },
    (_, i) => mirrored(Math.floor(i / reach) + (i % reach) - (reach - 1) / 2, length) * inner,
  );
  const result = new Float64Array(values.length);
  for (let row = 0, out = 0; row < rows; row++) {
    const first = row * length * inner;
    for (let place = 0; place < length; place++) {
      for (let c = 0; c < inner; c++, out++) {
        let total = 0;
        for (let k = 0; k < reach; k++) {
          total += (weights[k] as number) * (values[first + (around[place * reach + k] as number) + c] as number);
        }
        result[out] = total / sum;
      }
    }
  }
  return result;
}

/** A place of an axis, where those beyond it are the ones before its edge, which is not repeated. */
function mirrored(place: number, length: number): number {
  const around = Math.max(1, 2 * (length - 1));
  const at = ((place % around) + around) % around;
  return at < length ? at : around - at;
}

/** Every hue turned by so many of 256 steps of the circle. */
function turned(pixels: Uint8Array, steps: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    const [hue, saturation, value] = toHsv(pixels[i] as number, pixels[i + 1] as number, pixels[i + 2] as number);
    result.set(fromHsv((hue + steps) & 255, saturation, value), i);
  }
  return result;
}

type Triple = readonly [number, number, number];

function toHsv(red: number, green: number, blue: number): Triple {
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const range = most - least;
  if (range === 0) return [0, 0, most];
  const [r, g, b] = [(most - red) / range, (most - green) / range, (most - blue) / range];
  const sixths = red === most ? b - g : green === most ? 2 + r - b : 4 + g - r;
  return [clipped(((sixths / 6 + 1) % 1) * 255), clipped((range / most) * 255), most];
}

function fromHsv(hue: number, saturation: number, value: number): Triple {
  if (saturation === 0) return [value, value, value];
  const sixths = (hue * 6) / 255;
  const [whole, share] = [Math.floor(sixths), saturation / 255];
  const rest = sixths - whole;
  const low = Math.round(value * (1 - share));
  const falling = Math.round(value * (1 - share * rest));
  const rising = Math.round(value * (1 - share * (1 - rest)));
  const sectors: readonly Triple[] = [
    [value, rising, low],
    [falling, value, low],
    [low, value, rising],
    [low, falling, value],
    [rising, low, value],
    [value, low, falling],
  ];
  return sectors[whole % 6] as Triple;
}
