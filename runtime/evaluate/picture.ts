/**
 * Reconstructions as one picture: a row for each sample with its input, what the model saw of it, what it predicted, and
 * the prediction with the visible patches pasted in. Where patches are normalised, headings say whose means and deviations the hidden
 * ones have: those of visible patches around them, and in a last column their true ones.
 */

import { type ArrayShape, type ImageShape, planesOf } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Canvas } from "../data/image/png.js";
import { drawWord, letterHeight, wordWidth } from "./lettering.js";
import type { Reconstruction } from "./reconstruction.js";
import type { View } from "./space.js";
import { viewOf } from "./views.js";

/**
 * Small images are enlarged by a whole number until their shorter side has so many pixels, or the longer one that many; of larger
 * ones rows and columns are left out.
 */
const [leastSide, mostSide] = [112, 1024];
/** Between tiles, and between those that consist of several pictures; around the picture. */
const [narrowGutter, wideGutter, margin] = [4, 20, 8];
/** Image pixels of one letter pixel, and the room of a heading of one line and of two. */
const letterScale = 2;
const lowHeading = letterHeight * letterScale + 4;
const tallHeading = lowHeading + letterHeight + 3;
/** More images than this stand in two groups side by side. */
const mostRows = 4;
const paper = 255;
const ink = 60;

interface Column {
  readonly name: string;
  /** A second line of the heading. */
  readonly under?: string;
  readonly values: (r: Reconstruction) => Float32Array;
  /** Whether what is hidden is marked. */
  readonly isMarked?: true;
}

function columnsOf({ aided }: Reconstruction): readonly Column[] {
  const under = aided ? { under: "scale from visible" } : {};
  return [
    { name: "input", values: ({ input }) => input },
    { name: "visible", values: ({ input }) => input, isMarked: true },
    { name: "output", ...under, values: ({ output }) => output },
    { name: "pasted", ...under, values: ({ pasted }) => pasted },
    ...(aided
      ? [{ name: "pasted", under: "scale from truth", values: (r: Reconstruction) => r.aided ?? r.pasted }]
      : []),
  ];
}

/**
 * The grid of some reconstructions of arrays of one shape, at least one. One channel of a picture is shown as grey, of others the first
 * three; what is no picture is looked at as `viewOf` says. `leads`: what those of signals are called.
 */
export function reconstructionPicture(
  array: ArrayShape,
  reconstructions: readonly Reconstruction[],
  leads: readonly string[] | null = null,
): Canvas {
  const [one] = reconstructions;
  invariant(one, "there is something to show");
  const columns = columnsOf(one);
  const headingHeight = columns.some(({ under }) => under !== undefined) ? tallHeading : lowHeading;
  const views = reconstructions.map((reconstruction) =>
    columns.map(({ values, isMarked }) => {
      const { input: truth, hidden } = reconstruction;
      return viewOf(array, values(reconstruction), { truth, marked: isMarked ? hidden : null, leads });
    }),
  );
  const gutter = planesOf(array).count > 1 ? wideGutter : narrowGutter;
  const groupGutter = 5 * gutter;
  const [[first] = []] = views as readonly (readonly View[])[];
  invariant(first, "there is something to show");
  const tile = tileOf(first.shape);
  const columnWidth = Math.max(
    tile.width,
    ...columns.flatMap(({ name, under = "" }) => [wordWidth(name) * letterScale, wordWidth(under)]),
  );
  const groups = reconstructions.length > mostRows ? 2 : 1;
  const rows = Math.ceil(reconstructions.length / groups);
  const groupWidth = columns.length * (columnWidth + gutter) - gutter;
  const width = 2 * margin + groups * (groupWidth + groupGutter) - groupGutter;
  const height = 2 * margin + headingHeight + rows * (tile.height + gutter) - gutter;
  const canvas: Canvas = { width, height, pixels: new Uint8Array(width * height * 3).fill(paper) };
  const leftOf = (group: number, column: number) =>
    margin + group * (groupWidth + groupGutter) + column * (columnWidth + gutter);
  for (let group = 0; group < groups; group++) {
    for (const [c, { name, under = "" }] of columns.entries()) {
      const place = { left: leftOf(group, c), width: columnWidth };
      drawHeading(canvas, name, { ...place, top: margin, scale: letterScale });
      drawHeading(canvas, under, { ...place, top: margin + lowHeading - 2, scale: 1 });
    }
  }
  for (const [i, row] of views.entries()) {
    const top = margin + headingHeight + Math.floor(i / groups) * (tile.height + gutter);
    for (const [c, view] of row.entries()) drawTile(canvas, view, tile, leftOf(i % groups, c), top);
  }
  return canvas;
}

/** Pictures one below the other, at least one. */
export function stacked(pictures: readonly Canvas[]): Canvas {
  const [first, another] = pictures;
  invariant(first, "there is something to show");
  if (!another) return first;
  const width = Math.max(...pictures.map((picture) => picture.width));
  const height = pictures.reduce((sum, picture) => sum + picture.height, 0);
  const pixels = new Uint8Array(width * height * 3).fill(paper);
  let top = 0;
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++) {
      const row = picture.pixels.subarray(y * picture.width * 3, (y + 1) * picture.width * 3);
      pixels.set(row, (top + y) * width * 3);
    }
    top += picture.height;
  }
  return { width, height, pixels };
}

/** How an image is shown: each of its pixels as a square of `enlarged`, or one of `leftOut` rows and columns. */
interface Tile {
  readonly enlarged: number;
  readonly leftOut: number;
  readonly height: number;
  readonly width: number;
}

function tileOf({ height, width }: ImageShape): Tile {
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const enlarged = Math.max(1, Math.min(Math.ceil(leastSide / short), Math.floor(mostSide / long)));
  const leftOut = Math.ceil(long / mostSide);
  const side = (pixels: number) => Math.ceil(pixels / leftOut) * enlarged;
  return { enlarged, leftOut, height: side(height), width: side(width) };
}

interface HeadingPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  /** Image pixels of one letter pixel. */
  readonly scale: number;
}

/** A word in the middle of its column. */
function drawHeading(canvas: Canvas, word: string, { left, top, width, scale }: HeadingPlace): void {
  const start = left + Math.max(0, Math.floor((width - wordWidth(word) * scale) / 2));
  drawWord(word, (x, y) => {
    for (let dy = 0; dy < scale; dy++) {
      const at = ((top + y * scale + dy) * canvas.width + start + x * scale) * 3;
      canvas.pixels.fill(ink, at, at + scale * 3);
    }
  });
}

/** Nearest neighbour. */
function drawTile(
  canvas: Canvas,
  { pixels, shape: { width, channels } }: View,
  { enlarged, leftOut, ...tile }: Tile,
  left: number,
  top: number,
): void {
  const from = (at: number): number => Math.floor(at / enlarged) * leftOut;
  for (let y = 0; y < tile.height; y++) {
    for (let x = 0; x < tile.width; x++) {
      const pixel = (from(y) * width + from(x)) * channels;
      const to = ((top + y) * canvas.width + left + x) * 3;
      for (let c = 0; c < 3; c++) {
        const value = pixels[pixel + (channels < 3 ? 0 : c)] as number;
        canvas.pixels[to + c] = Math.round(255 * value);
      }
    }
  }
}
