/** Images with the classes of their places in colours: the image, what is there, and what a head says; clouds with their parts. */

import { type ArrayShape, planesOf } from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";
import { fromTwoSides } from "./space.js";
import {
  blankSheet,
  cornerOf,
  drawTile,
  levelIn,
  margin,
  samplesAcross,
  sampleWidth,
  sheetHeight,
  tileOf,
} from "./tiles.js";

/** What is shown of a sample. */
export interface ShownPlaces {
  /** [...axes, C] in 0..1. */
  readonly array: Float32Array;
  /** Maps [...axes] of classes, side by side; below zero: nobody says. */
  readonly maps: readonly Int32Array[];
}

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
  const tile = tileOf(plane, Math.max(1, Math.floor(160 / Math.max(plane.height, plane.width))));
  const tiles = 1 + (shown[0]?.maps.length ?? 0);
  const across = Math.min(samplesAcross, Math.max(1, shown.length));
  const canvas = blankSheet(margin + across * sampleWidth(tile, tiles), sheetHeight(tile, shown.length));
  const slice = Math.floor(count / 2) * plane.height * plane.width;
  for (const [i, { array, maps }] of shown.entries()) {
    const level = (at: number, channel: number): number => levelIn(array, plane, slice + at, channel);
    drawTile(canvas, cornerOf(tile, tiles, i, 0), tile, level);
    for (const [m, map] of maps.entries()) {
      drawTile(canvas, cornerOf(tile, tiles, i, m + 1), tile, (at, channel) => {
        const kind = map[slice + at] as number;
        if (kind < 0) return 255;
        if (kind === 0) return level(at, channel);
        return cover * (colourOf(kind)[channel] as number) + (1 - cover) * level(at, channel);
      });
    }
  }
  return canvas;
}

/** Clouds from two sides with their parts beside each other, two clouds in a row: all points that stand behind their groups. */
export function cloudsPicture(shown: readonly ShownPlaces[], shape: ArrayShape): Canvas {
  const clouds = shown.map(({ array, maps }) => {
    const points = pointsBehind(array, shape);
    return maps.map((kinds) =>
      fromTwoSides(points.shape, points.values, { truth: points.values, marked: null, kinds }),
    );
  });
  const first = clouds[0]?.[0];
  if (!first) return blankSheet(margin, margin);
  const tile = tileOf(first.shape, 1);
  const tiles = clouds[0]?.length ?? 0;
  const across = Math.min(samplesAcross, clouds.length);
  const canvas = blankSheet(margin + across * sampleWidth(tile, tiles), sheetHeight(tile, clouds.length));
  for (const [i, views] of clouds.entries()) {
    for (const [m, { shape: own, pixels }] of views.entries()) {
      drawTile(canvas, cornerOf(tile, tiles, i, m), tile, (at, channel) => levelIn(pixels, own, at, channel));
    }
  }
  return canvas;
}

/** The points of a cloud that stand behind its groups, as an array of their own. */
function pointsBehind(array: Float32Array, { axes, channels, cloud }: ArrayShape) {
  const [groups, each] = axes.map(({ size }) => size) as [number, number];
  const { points = 0, neighbours = 0 } = cloud ?? {};
  const values = new Float32Array(points * 3);
  const behind = each - neighbours;
  for (let k = 0; k < groups * behind; k++) {
    const at = Math.floor(k / behind) * each + neighbours + (k % behind);
    values.set(array.subarray(at * channels, at * channels + 3), k * 3);
  }
  const shape: ArrayShape = { axes: [{ name: "point", size: points }], channels: 3, cloud: { points } };
  return { values, shape };
}
