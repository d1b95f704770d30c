/** Sets of tokens: the equal boxes that an array is cut into, one token each. */

import { sizeOf } from "../graph/index.js";
import type { ArrayShape, AxisName } from "./arrays.js";

/** Boxes along one axis of an array: how many there are, and how much of the axis each has. */
export interface LatticeAxis {
  readonly name: AxisName;
  readonly count: number;
  readonly size: number;
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

/** An array cut into boxes of this size, which divide it; null: it has another number of axes. */
export const cutInto = ({ axes }: ArrayShape, box: readonly number[]): Lattice | null =>
  box.length === axes.length
    ? axes.map(({ name, size }, i) => ({ name, count: size / (box[i] as number), size: box[i] as number }))
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
