/**
 * How an array is looked at: pictures as they are, frames in a row, slices of volumes in three rows, what runs along time as curves, all else
 * as a map of heat with its last axis upwards. Hidden parts are marked.
 */

import { type ArrayShape, arrayLength, hasPictures, isVolume, liesInSpace, planesOf } from "../../blocks/index.js";
import { drawWord } from "./lettering.js";
import { fromTwoSides, type Shown, type View } from "./space.js";

export const grey = 128 / 255;

export function viewOf(array: ArrayShape, values: Float32Array, shown: Shown): View {
  if (liesInSpace(array)) return fromTwoSides(array, values, shown);
  if (isVolume(array)) return inThreeRows(array, values, shown);
  if (hasPictures(array)) return inRow(array, values, shown);
  return array.axes.at(-1)?.name === "time" ? curves(array, values, shown) : heat(array, values, shown);
}

/** Planes that are shown of many, evenly spread. */
const mostPlanes = 8;

function inRow(array: ArrayShape, values: Float32Array, { marked }: Shown): View {
  const { count, shape } = planesOf(array);
  const { height, width, channels } = shape;
  const planes = Math.min(count, mostPlanes);
  const gap = planes > 1 ? Math.ceil(width / 32) : 0;
  const whole = planes * (width + gap) - gap;
  const pixels = new Float32Array(height * whole * channels).fill(1);
  for (let i = 0; i < planes; i++) {
    const first = Math.floor((i * count) / planes) * height * width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [from, to] = [first + y * width + x, y * whole + i * (width + gap) + x];
        for (let c = 0; c < channels; c++) {
          pixels[to * channels + c] = marked?.[from] === 1 ? grey : (values[from * channels + c] as number);
        }
      }
    }
  }
  return { shape: { height, width: whole, channels }, pixels };
}

/** Slices of a volume that are shown along each axis. */
const slicesShown = 4;

/** Slices of a volume: from the feet to the head, from the front to the back, from right to left, each with the head or the front above. */
function inThreeRows(array: ArrayShape, values: Float32Array, { marked }: Shown): View {
  const { channels, axes } = array;
  const [depth, height, width] = axes.map(({ size }) => size) as [number, number, number];
  /** Of each axis: how many slices there are, and the voxel at row y and column x of one. */
  const along = [
    { count: depth, rows: height, columns: width, voxel: (s: number, y: number, x: number) => [s, y, x] as const },
    {
      count: height,
      rows: depth,
      columns: width,
      voxel: (s: number, y: number, x: number) => [depth - 1 - y, s, x] as const,
    },
    {
      count: width,
      rows: depth,
      columns: height,
      voxel: (s: number, y: number, x: number) => [depth - 1 - y, x, s] as const,
    },
  ];
  const gap = Math.ceil(width / 32);
  const wholeWidth = slicesShown * (Math.max(width, height) + gap) - gap;
  const wholeHeight = height + 2 * depth + 2 * gap;
  const pixels = new Float32Array(wholeHeight * wholeWidth * channels).fill(1);
  let top = 0;
  for (const { count, rows, columns, voxel } of along) {
    const shown = Math.min(count, slicesShown);
    for (let i = 0; i < shown; i++) {
      // The middle of each of as many equal parts.
      const slice = Math.floor(((i + 0.5) * count) / shown);
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          const [d, r, c] = voxel(slice, y, x);
          const from = (d * height + r) * width + c;
          const to = ((top + y) * wholeWidth + i * (columns + gap) + x) * channels;
          for (let k = 0; k < channels; k++) {
            pixels[to + k] = marked?.[from] === 1 ? grey : (values[from * channels + k] as number);
          }
        }
      }
    }
    top += rows + gap;
  }
  return { shape: { height: wholeHeight, width: wholeWidth, channels }, pixels };
}

/** Smallest and largest of some numbers; a range of 1 where all are equal. */
function rangeOf(values: Float32Array): { readonly least: number; readonly span: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return { least, span: most - least || 1 };
}

/** Pixels of one curve: across, at least where time is shorter, and high. */
const [fewestColumns, mostColumns, curveHeight] = [256, 1024, 40];
/** Red, green and blue of the paper, of hidden spans and of the curves of the first channels. */
const paper = [1, 1, 1];
const shade = [0.85, 0.85, 0.87];
const inks = [
  [0.1, 0.2, 0.5],
  [0.75, 0.25, 0.1],
  [0.1, 0.5, 0.25],
];
/** Of the names of leads. */
const nameInk = [0.45, 0.45, 0.45];

/** A band for each lead, with time to the right and the range of the lead's truth from below to above. */
function curves(array: ArrayShape, values: Float32Array, { truth, marked, leads: names }: Shown): View {
  const { channels } = array;
  const times = array.axes.at(-1)?.size as number;
  const leads = arrayLength(array) / times / channels;
  const repeated = Math.max(1, Math.ceil(fewestColumns / times));
  const width = Math.min(mostColumns, times * repeated);
  const height = leads * curveHeight;
  const pixels = new Float32Array(height * width * 3);
  const paint = (x: number, y: number, colour: readonly number[]): void => pixels.set(colour, (y * width + x) * 3);
  for (let lead = 0; lead < leads; lead++) {
    const { least, span } = rangeOf(truth.subarray(lead * times * channels, (lead + 1) * times * channels));
    const valueAt = (time: number, c: number): number => values[(lead * times + time) * channels + c] as number;
    /** Between two times, on the line from one to the other. */
    const rowOf = (time: number, c: number): number => {
      const [before, after] = [Math.floor(time), Math.min(times - 1, Math.ceil(time))];
      const value = valueAt(before, c) + (valueAt(after, c) - valueAt(before, c)) * (time - before);
      const up = Math.min(1, Math.max(0, (value - least) / span)) * (curveHeight - 5) + 2;
      return Math.round((lead + 1) * curveHeight - 1 - up);
    };
    const exactly = (x: number): number => Math.min(times - 1, (x * times) / width);
    const timeOf = (x: number): number => Math.floor(exactly(x));
    for (let x = 0; x < width; x++) {
      const isMarked = marked?.[lead * times + timeOf(x)] === 1;
      for (let y = lead * curveHeight; y < (lead + 1) * curveHeight; y++) paint(x, y, isMarked ? shade : paper);
    }
    drawWord(names?.[lead] ?? "", (x, y) => {
      if (x + 2 < width) paint(x + 2, lead * curveHeight + y + 2, nameInk);
    });
    for (let c = 0; c < Math.min(channels, inks.length); c++) {
      for (let x = 0; x < width; x++) {
        if (marked?.[lead * times + timeOf(x)] === 1) continue;
        // From this column's time to the next one's, over all that lie between.
        const ends = [rowOf(exactly(x), c), rowOf(exactly(x + 1), c)];
        let [top, bottom] = [Math.min(...ends), Math.max(...ends)];
        for (let time = timeOf(x) + 1; time < exactly(x + 1); time++) {
          [top, bottom] = [Math.min(top, rowOf(time, c)), Math.max(bottom, rowOf(time, c))];
        }
        for (let y = top; y <= bottom; y++) paint(x, y, inks[c] as readonly number[]);
      }
    }
  }
  return { shape: { height, width, channels: 3 }, pixels };
}

/** Colours of a value from the least to the largest. */
const heats = [
  [0, 0, 0.1],
  [0.3, 0.05, 0.45],
  [0.8, 0.2, 0.3],
  [1, 0.6, 0.1],
  [1, 1, 0.75],
] as const;

function heatOf(share: number, channel: number): number {
  const at = Math.min(1, Math.max(0, share)) * (heats.length - 1);
  const low = Math.min(heats.length - 2, Math.floor(at));
  const [from, to] = [heats[low]?.[channel] as number, heats[low + 1]?.[channel] as number];
  return from + (to - from) * (at - low);
}

/** Of several channels the first. */
function heat(array: ArrayShape, values: Float32Array, { truth, marked }: Shown): View {
  const { channels } = array;
  const height = array.axes.at(-1)?.size as number;
  const width = arrayLength(array) / height / channels;
  const { least, span } = rangeOf(truth);
  const pixels = new Float32Array(height * width * 3);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const from = x * height + height - 1 - y;
      const share = ((values[from * channels] as number) - least) / span;
      for (let c = 0; c < 3; c++) pixels[(y * width + x) * 3 + c] = marked?.[from] === 1 ? grey : heatOf(share, c);
    }
  }
  return { shape: { height, width, channels: 3 }, pixels };
}
