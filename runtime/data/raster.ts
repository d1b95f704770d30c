/** Decoded pixels and the geometry of an augmentation plan carried out on them, for data that is raw already. */

import type { ImageShape, ImageStep } from "../../blocks/index.js";

/** Row major, channel fastest: bytes 0..255, or floats in [0, 1]. */
export interface Raster {
  readonly pixels: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export type Step<K extends ImageStep["kind"]> = Extract<ImageStep, { kind: K }>;
export type Filter = Step<"resize">["filter"];
/** Steps that change where pixels are. */
export type Geometry = Step<"crop" | "resize" | "flip">;
export type Size = Pick<ImageShape, "height" | "width">;

export function applyStep(raster: Raster, step: Geometry): Raster {
  switch (step.kind) {
    case "crop":
      return crop(raster, step);
    case "resize":
      return resize(raster, step);
    case "flip":
      return step.axis === "horizontal" ? mirror(raster) : turnOver(raster);
  }
}

const sameKind = (pixels: Raster["pixels"], length: number): Raster["pixels"] =>
  pixels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);

function crop({ pixels, width, channels }: Raster, { top, left, height, width: cut }: Step<"crop">): Raster {
  const rowLength = cut * channels;
  const result = sameKind(pixels, height * rowLength);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * width + left) * channels;
    result.set(pixels.subarray(start, start + rowLength), y * rowLength);
  }
  return { pixels: result, height, width: cut, channels };
}

function mirror({ pixels, height, width, channels }: Raster): Raster {
  const result = sameKind(pixels, pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      result.set(pixels.subarray(from, from + channels), (y * width + width - 1 - x) * channels);
    }
  }
  return { pixels: result, height, width, channels };
}

function turnOver({ pixels, height, width, channels }: Raster): Raster {
  const row = width * channels;
  const result = sameKind(pixels, pixels.length);
  for (let y = 0; y < height; y++) result.set(pixels.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
  return { pixels: result, height, width, channels };
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

/** Weights from `from` to `to` places. When shrinking, the filter is widened, so that nothing is skipped. */
function tapsFor(from: number, to: number, filter: Filter): Taps {
  const scale = from / to;
  if (filter === "nearest") {
    const first = Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor((i + 0.5) * scale)));
    return { first, weights: new Float64Array(to).fill(1), reach: 1 };
  }
  const { support, at } = kernels[filter];
  const widening = Math.max(1, scale);
  const reach = Math.min(from, Math.ceil(support * widening) * 2 + 1);
  const first = new Int32Array(to);
  const weights = new Float64Array(to * reach);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
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

/** Rows, then columns; bytes are rounded after each, as in Pillow. */
function resize({ pixels, ...from }: Raster, { height, width, filter }: Step<"resize">): Raster {
  if (from.height === height && from.width === width) return { pixels, ...from };
  const { channels } = from;
  const finish = pixels instanceof Uint8Array ? toBytes : toFloats;
  const wide = finish(stretch(pixels, from.height, from.width, channels, tapsFor(from.width, width, filter)));
  const full = finish(stretch(wide, 1, from.height, width * channels, tapsFor(from.height, height, filter)));
  return { pixels: full, height, width, channels };
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
const toBytes = (values: Float64Array): Uint8Array => new Uint8Array(Uint8ClampedArray.from(values).buffer);

const toFloats = (values: Float64Array): Float32Array => Float32Array.from(values);
