/** Shapes in space: points, and where they are corners of faces a surface. What is read of files, and what is drawn of it. */

import { farthestPoints, grouped } from "../../../blocks/index.js";
import { type Random, shuffled } from "../../../graph/index.js";

export interface Shape {
  /** [P, 3] */
  readonly points: Float32Array;
  /** [F, 3], numbers of points; null: it is a cloud. */
  readonly faces: Int32Array | null;
  /** What was asked for of each point, [P]; null: nothing was. */
  readonly numbers: Float32Array | null;
}

/** A file that no shape comes from: its caller knows its name. */
export class BrokenShape extends Error {
  override readonly name = "BrokenShape";
}

/** What a file does not say of its points, though it was asked for: a mistake of the recipe, and not of the file. */
export class NotSaid extends Error {
  override readonly name = "NotSaid";
}

/** Bytes of a file that are read. */
export const mostBytes = 2 ** 28;
/** Points, and corners of faces, that are held of one shape. */
const mostNumbers = 2 ** 25;

/**
 * Throws `BrokenShape` for more points or faces than the bytes that are left can hold, or than are held at all: a header may say any number.
 * @param each bytes that one takes at least
 */
export function checkCount(count: number, what: string, bytes: number, each: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new BrokenShape(`it says that it has ${count} ${what}`);
  if (count * each > bytes) {
    throw new BrokenShape(
      `it is cut off: it says that it has ${grouped(count)} ${what}, and ${grouped(bytes)} bytes follow`,
    );
  }
  if (count * 3 > mostNumbers) {
    throw new BrokenShape(
      `it has ${grouped(count)} ${what}, and at most ${grouped(Math.floor(mostNumbers / 3))} are read`,
    );
  }
}

/** Numbers that are put in one by one; memory follows what comes. */
export class Growing<A extends Float32Array | Int32Array> {
  #values: A;
  #length = 0;
  readonly #make: (length: number) => A;

  constructor(make: (length: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  get length(): number {
    return this.#length;
  }

  /** Throws `BrokenShape` for more than are held. */
  push(...values: readonly number[]): void {
    if (this.#length + values.length > this.#values.length) {
      if (this.#length + values.length > mostNumbers) {
        throw new BrokenShape(`it has more than ${grouped(Math.floor(mostNumbers / 3))} points or faces`);
      }
      const longer = this.#make(this.#values.length * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    for (const value of values) this.#values[this.#length++] = value;
  }

  /** What was put in. */
  all(): A {
    return this.#values.slice(0, this.#length) as A;
  }
}

/** Puts a face of three or more corners in as triangles that share its first one. Throws `BrokenShape` for corners that are not there. */
export function pushFace(faces: Growing<Int32Array>, corners: readonly number[], points: number): void {
  const wrong = corners.find((corner) => !Number.isInteger(corner) || corner < 0 || corner >= points);
  if (wrong !== undefined) {
    throw new BrokenShape(
      `a face names point ${wrong}, and there are ${grouped(points)}${points > 0 ? `, counted from 0 to ${grouped(points - 1)}` : ""}`,
    );
  }
  const [first, ...others] = corners;
  for (let k = 1; k < others.length; k++) {
    faces.push(first as number, others[k - 1] as number, others[k] as number);
  }
}

/** Throws `BrokenShape` where a coordinate is no finite number of single precision, or several points all lie in one place. */
export function checkPoints({ points }: Pick<Shape, "points">): void {
  const odd = points.findIndex((value) => !Number.isFinite(value));
  if (odd < 0) {
    if (points.length <= 3 || points.some((value, at) => value !== points[at % 3])) return;
    throw new BrokenShape(`its ${grouped(points.length / 3)} points all lie in one place`);
  }
  throw new BrokenShape(
    `point ${grouped(Math.floor(odd / 3))} has the coordinate ${points[odd]}, which is no finite number of single precision`,
  );
}

/** Of a cloud as many points again as this are looked through for those that lie far apart. */
const lookedThrough = 16;

/** Points, and which of a cloud they are; null: they were drawn from a surface. */
export interface Taken {
  readonly points: Float32Array;
  readonly numbers: Int32Array | null;
}

/**
 * `count` points of a shape. Of a surface they are drawn, everywhere alike. Of a cloud some are taken, of a smaller one all again and again; where
 * it `isFixed`, they are those that lie far apart, the same ones every time.
 */
export function pointsOf(
  { points, faces }: Pick<Shape, "points" | "faces">,
  count: number,
  random: Random,
  isFixed: boolean,
): Taken {
  if (faces) return { points: drawnFrom(points, faces, count, random), numbers: null };
  const numbers = isFixed ? farApart(points, count) : drawnAgain(points.length / 3, count, random);
  return { points: pointsAt(points, numbers), numbers };
}

function drawnAgain(all: number, count: number, random: Random): Int32Array {
  const numbers: number[] = [];
  while (numbers.length < count) numbers.push(...shuffled(all, random).slice(0, count - numbers.length));
  return Int32Array.from(numbers);
}

function farApart(points: Float32Array, count: number): Int32Array {
  const all = points.length / 3;
  if (all <= count) return Int32Array.from({ length: count }, (_, i) => i % all);
  const each = Math.max(1, Math.floor(all / (count * lookedThrough)));
  const some = everySo(all, each);
  if (some.length === count) return some;
  return farthestPoints(each === 1 ? points : pointsAt(points, some), count).map((k) => some[k] as number);
}

const everySo = (all: number, each: number): Int32Array =>
  Int32Array.from({ length: Math.floor(all / each) }, (_, i) => i * each);

function pointsAt(points: Float32Array, numbers: ArrayLike<number>): Float32Array {
  const result = new Float32Array(numbers.length * 3);
  for (let k = 0; k < numbers.length; k++) {
    const at = (numbers[k] as number) * 3;
    result.set(points.subarray(at, at + 3), k * 3);
  }
  return result;
}

/** Points of triangles, each as often as its area is large. Throws `BrokenShape` for faces without any. */
function drawnFrom(points: Float32Array, faces: Int32Array, count: number, random: Random): Float32Array {
  const areas = new Float64Array(faces.length / 3);
  let whole = 0;
  for (let face = 0; face < areas.length; face++) {
    whole += areaOf(points, faces, face);
    areas[face] = whole;
  }
  if (!(whole > 0)) throw new BrokenShape("its faces have no area, so that no points can be drawn from them");
  const result = new Float32Array(count * 3);
  for (let k = 0; k < count; k++) {
    const face = firstAbove(areas, random.uniform() * whole);
    const root = Math.sqrt(random.uniform());
    const along = random.uniform();
    const shares = [1 - root, root * (1 - along), root * along];
    for (let c = 0; c < 3; c++) {
      let value = 0;
      for (const [i, share] of shares.entries()) {
        value += share * (points[(faces[face * 3 + i] as number) * 3 + c] as number);
      }
      result[k * 3 + c] = value;
    }
  }
  return result;
}

type Sides = readonly [a: readonly [number, number, number], b: readonly [number, number, number]];

function areaOf(points: Float32Array, faces: Int32Array, face: number): number {
  const at = (corner: number, c: number): number => points[(faces[face * 3 + corner] as number) * 3 + c] as number;
  const side = (corner: number, c: number): number => at(corner, c) - at(0, c);
  const [a, b] = [1, 2].map(
    (corner) => [side(corner, 0), side(corner, 1), side(corner, 2)] as const,
  ) as unknown as Sides;
  return Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]) / 2;
}

/** The first of ascending numbers that is larger; the last one where none is. */
function firstAbove(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
