/** Decoded pixels: cut, resized and flipped. */

import type { ImageShape, ImageStep } from "../../../blocks/index.js";

/** Row major, channel fastest: bytes 0..255, or floats in [0, 1]. */
export interface Raster {
  readonly pixels: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** The last channel is transparency, by which the colours weigh where pixels are mixed. */
  readonly alpha?: boolean;
}

export type Step<K extends ImageStep["kind"]> = Extract<ImageStep, { kind: K }>;
export type Filter = Step<"resize">["filter"];
/** Steps that change where pixels are. */
export type Geometry = Step<"crop" | "resize" | "flip" | "affine">;
/** Steps that change the values of pixels. */
export type Tone = Step<"levels" | "stretch" | "blend" | "blur" | "hue">;
export type Size = Pick<ImageShape, "height" | "width">;

/** Zeros of the same kind. */
export const sameKind = (pixels: Raster["pixels"], length: number): Raster["pixels"] =>
  pixels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);

export function crop({ pixels, width, ...same }: Raster, { top, left, height, width: cut }: Step<"crop">): Raster {
  const { channels } = same;
  const rowLength = cut * channels;
  const result = sameKind(pixels, height * rowLength);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * width + left) * channels;
    result.set(pixels.subarray(start, start + rowLength), y * rowLength);
  }
  return { ...same, pixels: result, height, width: cut };
}

export function mirror(raster: Raster): Raster {
  const { pixels, height, width, channels } = raster;
  const result = sameKind(pixels, pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (y * width + width - 1 - x) * channels;
      for (let c = 0; c < channels; c++) result[to + c] = pixels[from + c] as number;
    }
  }
  return { ...raster, pixels: result };
}

export function turnOver(raster: Raster): Raster {
  const { pixels, height, width, channels } = raster;
  const row = width * channels;
  const result = sameKind(pixels, pixels.length);
  for (let y = 0; y < height; y++) result.set(pixels.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
  return { ...raster, pixels: result };
}

/** What each output place takes from the input: `weights[i * reach + k]` of place `first[i] + k`. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: Float64Array;
  readonly reach: number;
}

/** Filter and half its width at scale 1. Bicubic is Keys' with a = -1/2, as in Pillow and torchvision. */
const kernels: Record<Exclude<Filter, "nearest">, { readonly support: number; readonly at: (x: number) => number }> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - x) },
  bicubic: {
    support: 2,
    at: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
  },
};

/** Part of an axis. */
interface Range {
  readonly start: number;
  readonly length: number;
}

/**
 * Weights of the places in `part`, of `to` places that are made from `from`. When shrinking, the filter is widened, so that
 * nothing is skipped.
 */
function tapsFor(from: number, to: number, part: Range, filter: Filter): Taps {
  const scale = from / to;
  const { length } = part;
  if (filter === "nearest") {
    const nearest = (i: number): number => Math.min(from - 1, Math.floor((part.start + i + 0.5) * scale));
    const first = Int32Array.from({ length }, (_, i) => nearest(i));
    return { first, weights: new Float64Array(length).fill(1), reach: 1 };
  }
  const { support, at } = kernels[filter];
  const widening = Math.max(1, scale);
  const reach = Math.min(from, Math.ceil(support * widening) * 2 + 1);
  const first = new Int32Array(length);
  const weights = new Float64Array(length * reach);
  for (let i = 0; i < length; i++) {
    const centre = (part.start + i + 0.5) * scale;
    const start = Math.max(0, Math.min(from - reach, Math.floor(centre - support * widening)));
    let sum = 0;
    for (let k = 0; k < reach; k++) {
      const weight = at(Math.abs(start + k + 0.5 - centre) / widening);
      weights[i * reach + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < reach; k++) weights[i * reach + k] = (weights[i * reach + k] as number) / sum;
    first[i] = start;
  }
  return { first, weights, reach };
}

/** The part of a resized image. Rows, then columns; bytes are rounded after each, as in Pillow. */
export function resize(
  raster: Raster,
  { height, width, filter }: Step<"resize">,
  part: Omit<Step<"crop">, "kind">,
): Raster {
  if (raster.height === height && raster.width === width) return crop(raster, { ...part, kind: "crop" });
  if (raster.alpha && filter !== "nearest") {
    const { pixels, ...mixed } = resize(weighed(raster), { kind: "resize", height, width, filter }, part);
    return { ...mixed, pixels: unweighed(pixels, raster), alpha: true };
  }
  const { pixels, channels } = raster;
  const finish = pixels instanceof Uint8Array ? toBytes : toFloats;
  const across = tapsFor(raster.width, width, { start: part.left, length: part.width }, filter);
  const down = tapsFor(raster.height, height, { start: part.top, length: part.height }, filter);
  const wide = finish(stretch(pixels, raster.height, raster.width, channels, across));
  const full = finish(stretch(wide, 1, raster.height, part.width * channels, down));
  return { ...raster, pixels: full, height: part.height, width: part.width };
}

/** White: the largest value of a colour. */
export const largestOf = (pixels: Raster["pixels"]): number => (pixels instanceof Uint8Array ? 255 : 1);

/** Colours multiplied by their transparency, as floats in [0, 1]: what cannot be seen has no colour to mix. */
function weighed({ pixels, alpha: _, ...rest }: Raster): Raster {
  const { channels } = rest;
  const largest = largestOf(pixels);
  const result = Float32Array.from(pixels, (value) => value / largest);
  for (let i = 0; i < result.length; i += channels) {
    const alpha = result[i + channels - 1] as number;
    for (let c = i; c < i + channels - 1; c++) result[c] = (result[c] as number) * alpha;
  }
  return { ...rest, pixels: result };
}

/** The reverse of `weighed`, as bytes or floats as they were. */
function unweighed(mixed: Raster["pixels"], { pixels, channels }: Raster): Raster["pixels"] {
  const largest = largestOf(pixels);
  const result = new Float64Array(mixed.length);
  const clipped = (value: number): number => Math.min(1, Math.max(0, value));
  for (let i = 0; i < result.length; i += channels) {
    const alpha = clipped(mixed[i + channels - 1] as number);
    result[i + channels - 1] = alpha * largest;
    for (let c = i; c < i + channels - 1; c++) {
      result[c] = alpha === 0 ? 0 : clipped((mixed[c] as number) / alpha) * largest;
    }
  }
  return pixels instanceof Uint8Array ? toBytes(result) : toFloats(result);
}

/** Resamples the middle axis of [rows, length, inner]. */
function stretch(
  values: ArrayLike<number>,
  rows: number,
  length: number,
  inner: number,
  { first, weights, reach }: Taps,
): Float64Array {
  const result = new Float64Array(rows * first.length * inner);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < first.length; i++) {
      const target = (row * first.length + i) * inner;
      for (let k = 0; k < reach; k++) {
        const weight = weights[i * reach + k] as number;
        if (weight === 0) continue;
        const source = (row * length + (first[i] as number) + k) * inner;
        for (let c = 0; c < inner; c++) {
          result[target + c] = (result[target + c] as number) + weight * (values[source + c] as number);
        }
      }
    }
  }
  return result;
}

/** Rounded and clipped: bicubic overshoots at edges. */
const toBytes = (values: Float64Array): Uint8Array => new Uint8Array(new Uint8ClampedArray(values).buffer);

const toFloats = (values: Float64Array): Float32Array => new Float32Array(values);
