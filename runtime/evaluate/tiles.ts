/** Pictures that are sheets of tiles: several of a sample side by side, samples in rows of two. What a tile shows is its picture's to say. */

import type { ImageShape } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";

export const margin = 8;
/** Samples in a row. */
export const samplesAcross = 2;

/** A place of a picture, in pixels. */
export interface Corner {
  readonly left: number;
  readonly top: number;
}

/** How an image is shown: each of its pixels as a square of `enlarged`. */
export interface Tile {
  readonly shape: ImageShape;
  readonly enlarged: number;
  readonly height: number;
  readonly width: number;
}

export const tileOf = (shape: ImageShape, enlarged: number): Tile => ({
  shape,
  enlarged,
  height: shape.height * enlarged,
  width: shape.width * enlarged,
});

/** White. */
export const blankSheet = (width: number, height: number): Canvas => ({
  width,
  height,
  pixels: new Uint8Array(width * height * 3).fill(255),
});

/** What a row of samples with so many tiles each takes. */
export const sampleWidth = (tile: Tile, tiles: number): number => tiles * (tile.width + margin) + margin;

/** What so many samples take. */
export const sheetHeight = (tile: Tile, samples: number): number =>
  margin + Math.ceil(samples / samplesAcross) * (tile.height + margin);

/** Where a tile of a sample begins. */
export const cornerOf = (tile: Tile, tiles: number, sample: number, at: number): Corner => ({
  left: margin + (sample % samplesAcross) * sampleWidth(tile, tiles) + at * (tile.width + margin),
  top: margin + Math.floor(sample / samplesAcross) * (tile.height + margin),
});

/** The level of a channel of an image [H, W, C] in 0..1 at a place of it, 0 to 255 and beyond; of grey, that of its one. */
export const levelIn = (image: Float32Array, { channels }: ImageShape, at: number, channel: number): number =>
  255 * (image[at * channels + Math.min(channel, channels - 1)] as number);

/** Fills a tile: `levelAt` says the level of a channel at a place of the image, which is cut to 0 to 255. */
export function drawTile(
  canvas: Canvas,
  { left, top }: Corner,
  { shape, enlarged, height, width }: Tile,
  levelAt: (at: number, channel: number) => number,
): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = Math.floor(y / enlarged) * shape.width + Math.floor(x / enlarged);
      for (let c = 0; c < 3; c++) {
        canvas.pixels[((top + y) * canvas.width + left + x) * 3 + c] = Math.round(
          Math.max(0, Math.min(255, levelAt(at, c))),
        );
      }
    }
  }
}

/** Red, green and blue of kinds that are few: red, blue, green, ochre, violet, teal. */
const kindColours = [
  [230, 60, 60],
  [40, 120, 230],
  [30, 160, 80],
  [220, 150, 20],
  [150, 70, 200],
  [20, 170, 180],
] as const;

/** The colour of a kind; kinds beyond the last begin again. */
export const colourOfKind = (kind: number): (typeof kindColours)[number] =>
  kindColours[kind % kindColours.length] as (typeof kindColours)[number];
