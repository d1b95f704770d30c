/**
 * Reconstructions as one picture: a row for each image with its input, what the model saw of it, what it predicted, and
 * the prediction with the visible patches pasted in.
 */

import type { ImageShape } from "../../blocks/index.js";
import type { Canvas } from "../data/png.js";
import { drawWord, letterHeight, wordWidth } from "./lettering.js";
import type { Reconstruction } from "./reconstruct.js";

/** Small images are enlarged by a whole number until their shorter side is at least this many pixels. */
const leastSide = 112;
/** Between tiles; between groups of four tiles; around the picture. */
const [gutter, groupGutter, margin] = [4, 20, 8];
/** Image pixels of one letter pixel, and the room of a heading. */
const letterScale = 2;
const headingHeight = letterHeight * letterScale + 4;
/** More images than this stand in two groups side by side. */
const mostRows = 4;
const paper = 255;
const ink = 60;
const hiddenGrey = 128 / 255;

const columns: readonly {
  readonly name: string;
  readonly pixels: (r: Reconstruction, channels: number) => Float32Array;
}[] = [
  { name: "input", pixels: ({ input }) => input },
  {
    name: "visible",
    pixels: ({ input, hidden }, channels) =>
      input.map((value, at) => (hidden[Math.floor(at / channels)] === 1 ? hiddenGrey : value)),
  },
  { name: "output", pixels: ({ output }) => output },
  { name: "pasted", pixels: ({ pasted }) => pasted },
];

/** The grid of some reconstructions of images of one shape. One channel is shown as grey, of others the first three. */
export function reconstructionPicture(shape: ImageShape, reconstructions: readonly Reconstruction[]): Canvas {
  const scale = Math.max(1, Math.ceil(leastSide / Math.min(shape.height, shape.width)));
  const [tileHeight, tileWidth] = [shape.height * scale, shape.width * scale];
  const groups = reconstructions.length > mostRows ? 2 : 1;
  const rows = Math.ceil(reconstructions.length / groups);
  const groupWidth = columns.length * (tileWidth + gutter) - gutter;
  const width = 2 * margin + groups * (groupWidth + groupGutter) - groupGutter;
  const height = 2 * margin + headingHeight + rows * (tileHeight + gutter) - gutter;
  const canvas: Canvas = { width, height, pixels: new Uint8Array(width * height * 3).fill(paper) };
  const leftOf = (group: number, column: number) =>
    margin + group * (groupWidth + groupGutter) + column * (tileWidth + gutter);
  for (let group = 0; group < groups; group++) {
    for (const [c, { name }] of columns.entries()) drawHeading(canvas, name, leftOf(group, c), tileWidth);
  }
  for (const [i, reconstruction] of reconstructions.entries()) {
    const top = margin + headingHeight + Math.floor(i / groups) * (tileHeight + gutter);
    for (const [c, { pixels }] of columns.entries()) {
      drawTile(canvas, pixels(reconstruction, shape.channels), shape, scale, leftOf(i % groups, c), top);
    }
  }
  return canvas;
}

function drawHeading(canvas: Canvas, word: string, left: number, tileWidth: number): void {
  const start = left + Math.max(0, Math.floor((tileWidth - wordWidth(word) * letterScale) / 2));
  drawWord(word, (x, y) => {
    for (let dy = 0; dy < letterScale; dy++) {
      const at = ((margin + y * letterScale + dy) * canvas.width + start + x * letterScale) * 3;
      canvas.pixels.fill(ink, at, at + letterScale * 3);
    }
  });
}

/** Nearest neighbour: each pixel becomes a square. */
function drawTile(
  canvas: Canvas,
  values: Float32Array,
  { height, width, channels }: ImageShape,
  scale: number,
  left: number,
  top: number,
): void {
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      const to = ((top + y) * canvas.width + left + x) * 3;
      for (let c = 0; c < 3; c++) {
        const value = values[from + (channels < 3 ? 0 : c)] as number;
        canvas.pixels[to + c] = Math.round(255 * value);
      }
    }
  }
}
