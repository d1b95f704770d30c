/** Pictures turned, sheared and moved, as Pillow does it. */

import { largestOf, type Raster, type Step, sameKind } from "./raster.js";

/** Cubic convolution through four values with a = -1, Pillow's for transformations, at a share of the way between the middle two. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  return v2 + d * (v3 - v1 + d * (2 * (v1 - v2) + v3 - v4 + d * (v2 - v1 + v4 - v3)));
}

const inside = (place: number, length: number): number => Math.max(0, Math.min(length - 1, place));

/** What stands at a place between pixels, of one channel; the place lies within the picture. */
type Sampler = (x: number, y: number, channel: number) => number;

function samplerOf({ pixels, height, width, channels }: Raster, filter: Step<"affine">["filter"]): Sampler {
  const at = (column: number, row: number, channel: number): number =>
    pixels[(inside(row, height) * width + inside(column, width)) * channels + channel] as number;
  switch (filter) {
    case "nearest":
      return (x, y, channel) => at(Math.floor(x), Math.floor(y), channel);
    case "bilinear":
      return (x, y, channel) => {
        const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
        const [dx, dy] = [x - 0.5 - left, y - 0.5 - top];
        const across = (row: number): number => at(left, row, channel) * (1 - dx) + at(left + 1, row, channel) * dx;
        return across(top) * (1 - dy) + across(top + 1) * dy;
      };
    case "bicubic":
      return (x, y, channel) => {
        const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
        const [dx, dy] = [x - 0.5 - left, y - 0.5 - top];
        const along = (row: number): number =>
          cubic(
            at(left - 1, row, channel),
            at(left, row, channel),
            at(left + 1, row, channel),
            at(left + 2, row, channel),
            dx,
          );
        return cubic(along(top - 1), along(top), along(top + 1), along(top + 2), dy);
      };
  }
}

/** The picture that has at each place what stood at another one; the fill where that is outside. */
export function applyAffine(raster: Raster, { matrix, fill, filter }: Step<"affine">): Raster {
  const { pixels, height, width, channels } = raster;
  const [a, b, c, d, e, f] = matrix;
  const largest = largestOf(pixels);
  // Pillow cuts values off instead of rounding them.
  const finish = (value: number): number =>
    pixels instanceof Uint8Array ? Math.trunc(Math.max(0, Math.min(largest, value))) : value;
  const filled = fill.map((value) => (pixels instanceof Uint8Array ? Math.min(255, Math.round(255 * value)) : value));
  const sample = samplerOf(raster, filter);
  const result = sameKind(pixels, pixels.length);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = [a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f];
      const isInside = x >= 0 && x < width && y >= 0 && y < height;
      for (let channel = 0; channel < channels; channel++, i++) {
        result[i] = isInside ? finish(sample(x, y, channel)) : (filled[channel % filled.length] as number);
      }
    }
  }
  return { ...raster, pixels: result };
}
