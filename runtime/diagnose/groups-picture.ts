/** Samples whose patches are grouped, as a picture: each sample, its patches by cluster, and cut in two. */

import { countsOf, type ImageShape, type Lattice } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";
import {
  blankSheet,
  colourOfKind,
  cornerOf,
  drawTile,
  levelIn,
  margin,
  samplesAcross,
  sampleWidth,
  sheetHeight,
  tileOf,
} from "../evaluate/tiles.js";
import type { GroupedSample } from "./diagnosis.js";

/** Of a sample: itself, and its patches grouped in two ways. */
const tiles = 3;
/** Pixels along the longer side of an image, about. */
const side = 168;

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
  const tile = tileOf(shape, Math.max(1, Math.round(side / Math.max(shape.height, shape.width))));
  const across = Math.min(samplesAcross, samples.length);
  const canvas = blankSheet(margin + across * sampleWidth(tile, tiles), sheetHeight(tile, samples.length));
  const [rows = 1, columns = 1] = countsOf(grid);
  const groupAt = (groups: ArrayLike<number>, at: number): number => {
    const [y, x] = [Math.floor(at / shape.width), at % shape.width];
    const [row, column] = [Math.floor((y * rows) / shape.height), Math.floor((x * columns) / shape.width)];
    return groups[row * columns + column] as number;
  };
  for (const [i, { clusters, sides }] of samples.entries()) {
    const level = (at: number, channel: number): number =>
      Math.max(0, Math.min(255, levelIn(images[i] as Float32Array, shape, at, channel)));
    drawTile(canvas, cornerOf(tile, tiles, i, 0), tile, level);
    // Half of what is seen is in the colour of the group that a place belongs to.
    for (const [g, groups] of [clusters, sides].entries()) {
      drawTile(canvas, cornerOf(tile, tiles, i, g + 1), tile, (at, channel) => {
        return (level(at, channel) + (colourOfKind(groupAt(groups, at))[channel] as number)) / 2;
      });
    }
  }
  return canvas;
}
