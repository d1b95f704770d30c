/** Images with boxes and outlines: what is there, and beside it what a detector finds. */

import { type Box, type DetectorFacts, foundIn, type ImageObject, type PixelSize } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";
import {
  blankSheet,
  type Corner,
  colourOfKind,
  cornerOf,
  drawTile,
  levelIn,
  margin,
  samplesAcross,
  sheetHeight,
  type Tile,
  tileOf,
} from "./tiles.js";

/** What is shown of an image. */
export interface ShownObjects {
  /** [H, W, C] in 0..1. */
  readonly image: Float32Array;
  readonly prediction: Float32Array;
  readonly objects: readonly ImageObject[];
}

/** Least share of an object that is shown: surer than what is counted. */
const shownScore = 0.3;
/** Of an image: with the objects that are there, and with those that are found. */
const tiles = 2;

/** Pairs of images, two pairs in a row: objects that are there, and objects that are found. */
export function objectsPicture(
  shown: readonly ShownObjects[],
  detector: DetectorFacts,
  size: PixelSize & { readonly channels: number },
): { readonly canvas: Canvas; readonly found: number } {
  const tile = tileOf(size, Math.max(1, Math.floor(224 / Math.max(size.height, size.width))));
  const width = samplesAcross * tiles * (tile.width + margin) + 2 * margin;
  const canvas = blankSheet(width, sheetHeight(tile, shown.length));
  let count = 0;
  for (const [i, { image, prediction, objects }] of shown.entries()) {
    const found = foundIn(prediction, detector, size, { score: shownScore, overlap: 0.6, most: 100 });
    const sure = found.filter(({ score }) => score >= shownScore);
    count += sure.length;
    for (const [side, boxes] of [objects, sure].entries()) {
      const at = cornerOf(tile, tiles, i, side);
      drawTile(canvas, at, tile, (place, channel) => levelIn(image, size, place, channel));
      for (const { box, category } of boxes) drawBox(canvas, box, category, tile, at);
    }
  }
  return { canvas, found: count };
}

/** Two pixels wide, within the image. */
function drawBox(
  canvas: Canvas,
  { x, y, width, height }: Box,
  category: number,
  { shape: size, enlarged }: Tile,
  { left, top }: Corner,
): void {
  const colour = colourOfKind(category);
  const within = (value: number, most: number) =>
    Math.min(most * enlarged - 1, Math.max(0, Math.round(value * enlarged)));
  const [x0, x1] = [within(x, size.width), within(x + width, size.width)];
  const [y0, y1] = [within(y, size.height), within(y + height, size.height)];
  for (let v = y0; v <= y1; v++) {
    for (let u = x0; u <= x1; u++) {
      if (u - x0 > 1 && x1 - u > 1 && v - y0 > 1 && y1 - v > 1) continue;
      canvas.pixels.set(colour, ((top + v) * canvas.width + left + u) * 3);
    }
  }
}
