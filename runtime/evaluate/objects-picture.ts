/** Images with boxes and outlines: what is there, and beside it what a detector finds. */

import { type Box, type DetectorFacts, foundIn, type ImageObject, type PixelSize } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";

/** What is shown of an image. */
export interface ShownObjects {
  /** [H, W, C] in 0..1. */
  readonly image: Float32Array;
  readonly prediction: Float32Array;
  readonly objects: readonly ImageObject[];
}

/** Least share of an object that is shown: surer than what is counted. */
const shownScore = 0.3;
const margin = 8;
const columns = 2;
/** One for each class in turn: red, green, blue. */
const colours = [
  [230, 60, 60],
  [40, 120, 230],
  [30, 160, 80],
  [220, 150, 20],
  [150, 70, 200],
  [20, 170, 180],
] as const;

/** Pairs of images, two pairs in a row: objects that are there, and objects that are found. */
export function objectsPicture(
  shown: readonly ShownObjects[],
  detector: DetectorFacts,
  size: PixelSize & { readonly channels: number },
): { readonly canvas: Canvas; readonly found: number } {
  const enlarged = Math.max(1, Math.floor(224 / Math.max(size.height, size.width)));
  const [tileHeight, tileWidth] = [size.height * enlarged, size.width * enlarged];
  const rows = Math.ceil(shown.length / columns);
  const width = margin + columns * 2 * (tileWidth + margin) + margin;
  const height = margin + rows * (tileHeight + margin);
  let count = 0;
  const canvas: Canvas = { width, height, pixels: new Uint8Array(width * height * 3).fill(255) };
  for (const [i, { image, prediction, objects }] of shown.entries()) {
    const left = margin + (i % columns) * (2 * (tileWidth + margin) + margin);
    const top = margin + Math.floor(i / columns) * (tileHeight + margin);
    const found = foundIn(prediction, detector, size, { score: shownScore, overlap: 0.6, most: 100 });
    const sure = found.filter(({ score }) => score >= shownScore);
    count += sure.length;
    for (const [side, boxes] of [objects, sure].entries()) {
      const at = { left: left + side * (tileWidth + margin), top };
      drawImage(canvas, image, size, enlarged, at);
      for (const { box, category } of boxes) drawBox(canvas, box, category, size, enlarged, at);
    }
  }
  return { canvas, found: count };
}

interface Corner {
  readonly left: number;
  readonly top: number;
}

function drawImage(
  canvas: Canvas,
  image: Float32Array,
  { height, width, channels }: PixelSize & { readonly channels: number },
  enlarged: number,
  { left, top }: Corner,
): void {
  for (let y = 0; y < height * enlarged; y++) {
    for (let x = 0; x < width * enlarged; x++) {
      const from = (Math.floor(y / enlarged) * width + Math.floor(x / enlarged)) * channels;
      const to = ((top + y) * canvas.width + left + x) * 3;
      for (let c = 0; c < 3; c++) {
        const value = image[from + Math.min(c, channels - 1)] as number;
        canvas.pixels[to + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
    }
  }
}

/** Two pixels wide, within the image. */
function drawBox(
  canvas: Canvas,
  { x, y, width, height }: Box,
  category: number,
  size: PixelSize,
  enlarged: number,
  { left, top }: Corner,
): void {
  const colour = colours[category % colours.length] as (typeof colours)[number];
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
