/** Sets of tokens: the equal boxes that an array is cut into, one token each. */

import type { ArrayShape, AxisName } from "./arrays.js";

/** Boxes along one axis of an array: how many there are, and how much of the axis each has. */
export interface LatticeAxis {
  readonly name: AxisName;
  readonly count: number;
  readonly size: number;
}

/** Axis by axis, as the array has them. Tokens are counted in raster order, along the last axis first. */
export type Lattice = readonly LatticeAxis[];

const product = (numbers: readonly number[]): number => numbers.reduce((all, one) => all * one, 1);

/** Tokens along each axis. */
export const countsOf = (lattice: Lattice): readonly number[] => lattice.map(({ count }) => count);

/** What of each axis a token has. */
export const boxOf = (lattice: Lattice): readonly number[] => lattice.map(({ size }) => size);

export const tokenCount = (lattice: Lattice): number => product(countsOf(lattice));

/** Places of the array in one token: of an image, its pixels. */
export const boxLength = (lattice: Lattice): number => product(boxOf(lattice));

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

/** Where the values of one token are in an array [...axes, C], in the order of `patchify`. */
export function patchPlaces(lattice: Lattice, token: number, channels = 1): Int32Array {
  let places = [0];
  const corner = placeOf(lattice, token);
  for (const [i, { count, size }] of lattice.entries()) {
    const first = (corner[i] as number) * size;
    places = places.flatMap((place) => Array.from({ length: size }, (_, k) => place * count * size + first + k));
  }
  const values = new Int32Array(places.length * channels);
  for (let i = 0; i < values.length; i++) {
    values[i] = (places[Math.floor(i / channels)] as number) * channels + (i % channels);
  }
  return values;
}
