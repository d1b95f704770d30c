/** Sets of tokens: the equal boxes that an array is cut into, one token each. */

import { sizeOf } from "../graph/index.js";
import type { ArrayShape, AxisName } from "./arrays.js";

/** Boxes along one axis of an array: how many there are, and how much of the axis each has. */
export interface LatticeAxis {
  readonly name: AxisName;
  readonly count: number;
  readonly size: number;
  /** From where one begins to where the next does; if absent, its size: they lie side by side. */
  readonly stride?: number;
}

/** Axis by axis, as the array has them. Tokens are counted in raster order, along the last axis first. */
export type Lattice = readonly LatticeAxis[];

/** Tokens along each axis. */
export const countsOf = (lattice: readonly Pick<LatticeAxis, "count">[]): readonly number[] =>
  lattice.map(({ count }) => count);

/** What of each axis a token has. */
export const boxOf = (lattice: readonly Pick<LatticeAxis, "size">[]): readonly number[] =>
  lattice.map(({ size }) => size);

export const tokenCount = (lattice: readonly Pick<LatticeAxis, "count">[]): number => sizeOf(countsOf(lattice));

/** Places of the array in one token: of an image, its pixels. */
export const boxLength = (lattice: readonly Pick<LatticeAxis, "size">[]): number => sizeOf(boxOf(lattice));

/** `14x14` */
export const countsText = (lattice: Lattice): string => countsOf(lattice).join("x");

/** `16x16` */
export const boxText = (lattice: Lattice): string => boxOf(lattice).join("x");

/** `rows` and `columns`, and such: what a lattice's axes are called where there are several of each. */
export const axesText = (axes: readonly { readonly name: AxisName }[]): string =>
  axes.map(({ name }) => name).join(", ");

/** Whether some boxes lie over one another, so that a place of the array has no token of its own. */
export const isOverlapping = (lattice: Lattice): boolean => lattice.some(({ size, stride = size }) => stride !== size);

/** Whether tokens are windows of single leads, lead by lead. */
export const isByLead = (lattice: Lattice): boolean =>
  lattice.length === 2 && lattice[0]?.name === "lead" && lattice[0].size === 1 && lattice[1]?.name === "time";

/** Leads of tokens that lie lead by lead. */
export const leadsOf = ([leads]: Lattice): number => leads?.count ?? 0;

/** An array cut into boxes of this size, which divide it; null: it has another number of axes. */
export const cutInto = ({ axes }: ArrayShape, box: readonly number[]): Lattice | null =>
  box.length === axes.length
    ? axes.map(({ name, size }, i) => ({ name, count: size / (box[i] as number), size: box[i] as number }))
    : null;

/** The same with boxes that begin so far from one another; what is left at the end of an axis is not seen. null as there. */
export const cutWithStrides = (
  { axes }: ArrayShape,
  box: readonly number[],
  strides: readonly number[],
): Lattice | null =>
  box.length === axes.length && strides.length === axes.length
    ? axes.map(({ name, size }, i) => {
        const [side, stride] = [box[i] as number, strides[i] as number];
        return { name, count: Math.floor((size - side) / stride) + 1, size: side, stride };
      })
    : null;

/** The place of a token along each axis. */
export function placeOf(lattice: Lattice, token: number): readonly number[] {
  const place: number[] = [];
  let rest = token;
  for (const { count } of [...lattice].reverse()) {
    place.unshift(rest % count);
    rest = Math.floor(rest / count);
  }
  return place;
}

/** Where the values of one token are in an array [...axes, C], in the order of `patchify`. Data workers ask for those of every token. */
export function patchPlaces(lattice: Lattice, token: number, channels = 1): Int32Array {
  const corner = placeOf(lattice, token);
  const places = new Int32Array(boxLength(lattice) * channels);
  // Along the last axis they follow each other.
  const run = (lattice.at(-1)?.size ?? 1) * channels;
  for (let from = 0; from < places.length; from += run) {
    let [at, step, rest] = [0, channels, from / channels];
    for (let axis = lattice.length - 1; axis >= 0; axis--) {
      const { count, size } = lattice[axis] as LatticeAxis;
      at += step * ((corner[axis] as number) * size + (rest % size));
      rest = Math.floor(rest / size);
      step *= count * size;
    }
    for (let k = 0; k < run; k++) places[from + k] = at + k;
  }
  return places;
}

/**
 * Brings numbers of the tokens that have some to those that have none: away from the known tokens, step by step, each takes the mean of
 * the tokens beside it, along any axis, that have theirs by then.
 * @param values [N, K], of tokens that are not known anything; changed in place. Where none is known, they stay.
 */
export function spreadFromKnown(lattice: Lattice, isKnown: (token: number) => boolean, values: Float64Array): void {
  const count = tokenCount(lattice);
  const width = values.length / count;
  const known = Uint8Array.from({ length: count }, (_, token) => (isKnown(token) ? 1 : 0));
  let edge = [...known.keys()].filter((token) => known[token] === 1);
  while (edge.length > 0) {
    const next = [...new Set(edge.flatMap((token) => besideOf(lattice, token)))].filter((token) => known[token] === 0);
    for (const token of next) {
      const own = besideOf(lattice, token).filter((beside) => known[beside] === 1);
      for (let k = 0; k < width; k++) {
        const sum = own.reduce((total, beside) => total + (values[beside * width + k] as number), 0);
        values[token * width + k] = sum / own.length;
      }
    }
    for (const token of next) known[token] = 1;
    edge = next;
  }
}

/** The tokens before and after one, along each axis. */
function besideOf(lattice: Lattice, token: number): readonly number[] {
  const place = placeOf(lattice, token);
  const beside: number[] = [];
  let stride = 1;
  for (let axis = lattice.length - 1; axis >= 0; axis--) {
    const [at, { count }] = [place[axis] as number, lattice[axis] as LatticeAxis];
    if (at > 0) beside.push(token - stride);
    if (at < count - 1) beside.push(token + stride);
    stride *= count;
  }
  return beside;
}

/** array [...axes, C] -> [N, C]: the mean of each patch and channel. */
export function patchMeans(lattice: Lattice, channels: number, array: Float32Array): Float64Array {
  const means = new Float64Array(tokenCount(lattice) * channels);
  for (let token = 0; token < tokenCount(lattice); token++) {
    const places = patchPlaces(lattice, token);
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (const place of places) sum += array[place * channels + c] as number;
      means[token * channels + c] = sum / places.length;
    }
  }
  return means;
}

/** [N, C] -> [...axes, C]: at each place the numbers of its patch. */
export function inPatches(lattice: Lattice, values: Float64Array): Float32Array {
  const channels = values.length / tokenCount(lattice);
  const result = new Float32Array(values.length * boxLength(lattice));
  for (let token = 0; token < tokenCount(lattice); token++) {
    const own = values.subarray(token * channels, (token + 1) * channels);
    for (const place of patchPlaces(lattice, token)) result.set(own, place * channels);
  }
  return result;
}

/** array [...axes, C] with hidden patches filled by the means of the visible ones around them; where none is visible, with zero. */
export function filledFromVisible(
  lattice: Lattice,
  channels: number,
  array: Float32Array,
  isHidden: (token: number) => boolean,
): Float32Array {
  const means = patchMeans(lattice, channels, array).map((mean, at) =>
    isHidden(Math.floor(at / channels)) ? 0 : mean,
  );
  spreadFromKnown(lattice, (token) => !isHidden(token), means);
  const result = inPatches(lattice, means);
  for (let token = 0; token < tokenCount(lattice); token++) {
    if (isHidden(token)) continue;
    for (const place of patchPlaces(lattice, token, channels)) result[place] = array[place] as number;
  }
  return result;
}
