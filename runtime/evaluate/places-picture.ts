/** Images with the classes of their places in colours: the image, what is there, and what a head says. */

import { type ArrayShape, planesOf } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";

/** What is shown of a sample. */
export interface ShownPlaces {
  /** [...axes, C] in 0..1. */
  readonly array: Float32Array;
  /** Maps [...axes] of classes, side by side; below zero: nobody says. */
  readonly maps: readonly Int32Array[];
}

const margin = 8;
/** Samples in a row. */
const columns = 2;
/** How much of a class's colour lies over the image. */
const cover = 0.6;
/** The golden angle: colours of neighbouring classes lie far apart. */
const turn = 137.508;

/** The colour of a class, 0 to 255; class 0 has none. */
function colourOf(kind: number): readonly [number, number, number] {
  const hue = (kind * turn) % 360;
  const channel = (shift: number): number => {
    const k = (shift + hue / 60) % 6;
    return Math.round(255 * (0.95 - 0.85 * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Samples with their maps beside each other, two samples in a row; of a volume its middle slice. */
export function placesPicture(shown: readonly ShownPlaces[], shape: ArrayShape): Canvas {
  const { count, shape: plane } = planesOf(shape);
  const slice = Math.floor(count / 2);
  const enlarged = Math.max(1, Math.floor(160 / Math.max(plane.height, plane.width)));
  const [tileHeight, tileWidth] = [plane.height * enlarged, plane.width * enlarged];
  const tiles = 1 + (shown[0]?.maps.length ?? 0);
  const across = Math.min(columns, Math.max(1, shown.length));
  const width = margin + across * (tiles * (tileWidth + margin) + margin);
  const height = margin + Math.ceil(shown.length / columns) * (tileHeight + margin);
  const canvas: Canvas = { width, height, pixels: new Uint8Array(width * height * 3).fill(255) };
  const area = plane.height * plane.width;
  const draw = (left: number, top: number, colour: (at: number, channel: number) => number): void => {
    for (let y = 0; y < tileHeight; y++) {
      for (let x = 0; x < tileWidth; x++) {
        const from = slice * area + Math.floor(y / enlarged) * plane.width + Math.floor(x / enlarged);
        for (let c = 0; c < 3; c++) {
          canvas.pixels[((top + y) * width + left + x) * 3 + c] = Math.round(
            Math.max(0, Math.min(255, colour(from, c))),
          );
        }
      }
    }
  };
  for (const [i, { array, maps }] of shown.entries()) {
    const left = margin + (i % columns) * (tiles * (tileWidth + margin) + margin);
    const top = margin + Math.floor(i / columns) * (tileHeight + margin);
    const level = (at: number, c: number): number =>
      255 * (array[at * shape.channels + Math.min(c, shape.channels - 1)] as number);
    draw(left, top, level);
    for (const [m, map] of maps.entries()) {
      draw(left + (m + 1) * (tileWidth + margin), top, (at, c) => {
        const kind = map[at] as number;
        if (kind < 0) return 255;
        if (kind === 0) return level(at, c);
        return cover * (colourOf(kind)[c] as number) + (1 - cover) * level(at, c);
      });
    }
  }
  return canvas;
}
