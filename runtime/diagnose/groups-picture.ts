/** Samples whose patches are grouped, as a picture: each sample, its patches by cluster, and cut in two. */

import { countsOf, type ImageShape, type Lattice } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";
import type { GroupedSample } from "./diagnosis.js";

const margin = 8;
/** Triples in a row. */
const across = 2;
/** Pixels along the longer side of an image, about. */
const side = 168;
/** Red, green and blue of groups; of a cut the first two. */
const colours = [
  [230, 60, 60],
  [40, 120, 230],
  [30, 160, 80],
  [220, 150, 20],
  [150, 70, 200],
  [20, 170, 180],
] as const;

/**
 * Clusters have the same colours in all samples.
 * @param images of each sample [H, W, C] in 0..1
 */
export function groupsPicture(
  samples: readonly GroupedSample[],
  images: readonly Float32Array[],
  grid: Lattice,
  shape: ImageShape,
): Canvas {
  const enlarged = Math.max(1, Math.round(side / Math.max(shape.height, shape.width)));
  const [tileWidth, tileHeight] = [shape.width * enlarged, shape.height * enlarged];
  const triple = 3 * (tileWidth + margin) + margin;
  const width = margin + Math.min(across, samples.length) * triple;
  const height = margin + Math.ceil(samples.length / across) * (tileHeight + margin);
  const canvas: Canvas = { width, height, pixels: new Uint8Array(width * height * 3).fill(255) };
  const [rows = 1, columns = 1] = countsOf(grid);
  for (const [i, { clusters, sides }] of samples.entries()) {
    const [left, top] = [margin + (i % across) * triple, margin + Math.floor(i / across) * (tileHeight + margin)];
    for (const [tile, groups] of [null, clusters, sides].entries()) {
      const groupAt = (x: number, y: number): number | null => {
        if (!groups) return null;
        const [row, column] = [Math.floor((y * rows) / tileHeight), Math.floor((x * columns) / tileWidth)];
        return groups[row * columns + column] ?? null;
      };
      const at = { left: left + tile * (tileWidth + margin), top, width: tileWidth, height: tileHeight };
      drawTile(canvas, images[i] as Float32Array, shape, at, groupAt);
    }
  }
  return canvas;
}

interface Tile {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** An image, half of it in the colour of the group that a place belongs to. */
function drawTile(
  canvas: Canvas,
  image: Float32Array,
  shape: ImageShape,
  { left, top, width, height }: Tile,
  groupAt: (x: number, y: number) => number | null,
): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [Math.floor((y * shape.height) / height), Math.floor((x * shape.width) / width)];
      const from = (row * shape.width + column) * shape.channels;
      const group = groupAt(x, y);
      const colour = group === null ? null : (colours[group % colours.length] as (typeof colours)[number]);
      for (let c = 0; c < 3; c++) {
        const value = 255 * Math.min(1, Math.max(0, image[from + Math.min(c, shape.channels - 1)] as number));
        canvas.pixels[((top + y) * canvas.width + left + x) * 3 + c] = Math.round(
          colour ? (value + (colour[c] as number)) / 2 : value,
        );
      }
    }
  }
}
