/**
 * What a model says of a whole sample, by windows that slide over it: where they begin, what their places count, and the mean of what they say.
 * Only the part of the sample is held that windows still to come reach, so that memory depends on the window and not on the sample's length.
 */

import type { Sliding } from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import { RunError } from "../run-error.js";

/** A sample, its numbers [...sides, channels], and windows of some sides over it. */
export interface SlidOver {
  readonly numbers: Float32Array;
  readonly sides: readonly number[];
  readonly window: readonly number[];
  readonly channels: number;
  /** Numbers that are said of each place. */
  readonly width: number;
}

/** What is said of several windows, [count, ...window, width], of their numbers [count, ...window, channels]. */
export type SayOfWindows = (windows: Float32Array) => Promise<Float32Array>;

/** Given each place of the sample once, by its number in raster order, with the mean of what is said of it. */
export type PlaceSaid = (place: number, said: Float32Array) => void;

/** Numbers that are held of what is said at once: 1 GiB. */
const mostNumbers = 2 ** 28;

/** Places where windows begin along one axis: equal strides, the last moved back to the end. A sample that is shorter lies in the middle of one window. */
export function windowBegins(side: number, window: number, overlap: number): readonly number[] {
  if (side <= window) return [-Math.floor((window - side) / 2)];
  const stride = Math.max(1, Math.floor(window * (1 - overlap)));
  const count = Math.ceil((side - window) / stride) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(i * stride, side - window));
}

/** Shares of a side that a Gaussian reaches, and the least that a place counts: MONAI's. */
const [sigmaShare, leastWeight] = [0.125, 1e-3];

/** What each place of a window counts, in raster order. */
export function windowWeights(window: readonly number[], weights: Sliding["weights"]): Float64Array {
  const all = new Float64Array(sizeOf(window)).fill(1);
  if (weights === "constant") return all;
  for (let place = 0; place < all.length; place++) {
    const distance = placeIn(window, place).reduce((sum, at, axis) => {
      const side = window[axis] as number;
      return sum + ((at - (side - 1) / 2) / (sigmaShare * side)) ** 2;
    }, 0);
    all[place] = Math.max(leastWeight, Math.exp(-distance / 2));
  }
  return all;
}

/** The coordinates of a place in raster order. */
function placeIn(sides: readonly number[], place: number): number[] {
  const at: number[] = [];
  let rest = place;
  for (let axis = sides.length - 1; axis >= 0; axis--) {
    const side = sides[axis] as number;
    at[axis] = rest % side;
    rest = Math.floor(rest / side);
  }
  return at;
}

/** Throws `run/data` where what is said of the places of a row of windows is more than can be held. */
export async function sayWhole(
  over: SlidOver,
  { overlap, weights }: Pick<Sliding, "overlap" | "weights">,
  { atOnce, say, each }: { readonly atOnce: number; readonly say: SayOfWindows; readonly each: PlaceSaid },
): Promise<void> {
  const { sides, window } = over;
  const begins = sides.map((side, axis) => windowBegins(side, window[axis] as number, overlap));
  const along = longestAxis(begins);
  const mean = openMean(over, along, windowWeights(window, weights));
  for (const begin of begins[along] as readonly number[]) {
    mean.moveTo(Math.max(0, begin), each);
    const row = everyOf(begins.map((all, axis) => (axis === along ? [begin] : all)));
    for (let first = 0; first < row.length; first += atOnce) {
      const some = row.slice(first, first + atOnce);
      const said = await say(windowsOf(over, some, atOnce));
      for (const [i, at] of some.entries()) mean.add(at, said, i);
    }
  }
  mean.moveTo(sides[along] as number, each);
}

/** The axis along which there are most windows: what is held reaches over one window of it, and over all of the others. */
const longestAxis = (begins: readonly (readonly number[])[]): number =>
  begins.reduce((best, { length }, axis) => (length > (begins[best] as readonly number[]).length ? axis : best), 0);

/** One of each, in raster order. */
const everyOf = (choices: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  choices.reduce<number[][]>((all, own) => all.flatMap((begun) => own.map((one) => [...begun, one])), [[]]);

/** Places of a window that lie in the sample, row by row of its last axis: where the row begins in both, and how long it is. */
function eachRow(
  { sides, window }: SlidOver,
  at: readonly number[],
  use: (inWindow: number, coordinates: readonly number[], length: number) => void,
): void {
  const last = sides.length - 1;
  const from = at.map((begin) => Math.max(0, -begin));
  const to = at.map((begin, axis) => Math.min(window[axis] as number, (sides[axis] as number) - begin));
  const rows = window.slice(0, -1).map((_, axis) => (to[axis] as number) - (from[axis] as number));
  const length = (to[last] as number) - (from[last] as number);
  for (let row = 0; row < sizeOf(rows); row++) {
    const inside = [...placeIn(rows, row).map((own, axis) => own + (from[axis] as number)), from[last] as number];
    const coordinates = inside.map((own, axis) => own + (at[axis] as number));
    use(placeAt(window, inside), coordinates, length);
  }
}

const placeAt = (sides: readonly number[], at: readonly number[]): number =>
  at.reduce((place, own, axis) => place * (sides[axis] as number) + own, 0);

/** The numbers of some windows, and zeros of windows that are none; zeros lie outside of the sample. */
function windowsOf(over: SlidOver, some: readonly (readonly number[])[], atOnce: number): Float32Array {
  const { numbers, sides, window, channels } = over;
  const length = sizeOf(window) * channels;
  const windows = new Float32Array(atOnce * length);
  for (const [i, at] of some.entries()) {
    eachRow(over, at, (inWindow, coordinates, places) => {
      const begin = placeAt(sides, coordinates) * channels;
      windows.set(numbers.subarray(begin, begin + places * channels), i * length + inWindow * channels);
    });
  }
  return windows;
}

/** The weighted mean of what windows say, of which one window's length along an axis is held. */
function openMean(over: SlidOver, along: number, weights: Float64Array) {
  const { sides, window, width } = over;
  const held = sides.map((side, axis) => (axis === along ? Math.min(side, window[axis] as number) : side));
  const places = sizeOf(held);
  if (places * (width + 1) > mostNumbers) throw tooMuch(sides, width);
  const sums = new Float32Array(places * width);
  const counts = new Float32Array(places);
  const length = held[along] as number;
  const inner = sizeOf(held.slice(along + 1));
  const own = sizeOf(window);
  const last = sides.length - 1;
  /** All before it along the axis has been told. */
  let told = 0;
  /** A place of the sample in what is held: the axis runs round. */
  const heldAt = (coordinates: readonly number[]): number =>
    placeAt(
      held,
      coordinates.map((at, axis) => (axis === along ? at % length : at)),
    );
  const tell = (coordinate: number, each: PlaceSaid): void => {
    for (let outer = 0; outer < places / length / inner; outer++) {
      const first = (outer * length + (coordinate % length)) * inner;
      const place = (outer * (sides[along] as number) + coordinate) * inner;
      for (let i = 0; i < inner; i++) {
        const said = sums.subarray((first + i) * width, (first + i + 1) * width);
        const count = counts[first + i] as number;
        for (let k = 0; k < width; k++) said[k] = (said[k] as number) / count;
        each(place + i, said);
      }
      sums.fill(0, first * width, (first + inner) * width);
      counts.fill(0, first, first + inner);
    }
  };
  return {
    /** Tells all before a coordinate: no window to come reaches it. */
    moveTo(coordinate: number, each: PlaceSaid): void {
      for (; told < coordinate; told++) tell(told, each);
    },
    add(at: readonly number[], said: Float32Array, i: number): void {
      invariant(said.length % (own * width) === 0, "each place of a window has its numbers");
      eachRow(over, at, (inWindow, coordinates, row) => {
        const begin = coordinates[last] as number;
        const base = heldAt(coordinates.map((one, axis) => (axis === last ? 0 : one)));
        for (let k = 0; k < row; k++) {
          // Along the last axis a row may run round what is held.
          const place = base + (along === last ? (begin + k) % length : begin + k);
          const weight = weights[inWindow + k] as number;
          const from = (i * own + inWindow + k) * width;
          counts[place] = (counts[place] as number) + weight;
          for (let c = 0; c < width; c++)
            sums[place * width + c] = (sums[place * width + c] as number) + weight * (said[from + c] as number);
        }
      });
    },
  };
}

const tooMuch = (sides: readonly number[], width: number): RunError =>
  new RunError("run/data", {
    what: `What is said of a sample of ${sides.join("x")} places takes more memory than is held: ${width} numbers of each`,
    why: "windows that overlap are averaged over their length along one axis, and over all of the others",
    help: "Judge smaller samples: `respace` or `resize` in the recipe, or `pictures: covering`.",
  });
