/** Points in space on the host, [P, 3]: which lie far apart, which are nearest to them, and where the centres of groups are. */

import { type ArrayShape, placesInSpace, pointsIn } from "./arrays.js";
import { type Lattice, tokenCount } from "./sets.js";

/** Squared distance of two points, whose coordinates begin there; in single precision, as others have it. */
function apart(a: Float32Array, i: number, b: Float32Array, j: number): number {
  let sum = 0;
  for (let c = 0; c < 3; c++) {
    const by = Math.fround((a[i + c] as number) - (b[j + c] as number));
    sum = Math.fround(sum + Math.fround(by * by));
  }
  return sum;
}

/**
 * Numbers of `count` points that lie far apart: the first one, and then again and again the one that is farthest from all that are chosen; of
 * equally far ones the first.
 */
export function farthestPoints(points: Float32Array, count: number): Int32Array {
  const all = points.length / 3;
  const nearest = new Float32Array(all).fill(Number.POSITIVE_INFINITY);
  const chosen = new Int32Array(count);
  for (let k = 1; k < count; k++) {
    const last = (chosen[k - 1] as number) * 3;
    let farthest = 0;
    for (let i = 0; i < all; i++) {
      const far = apart(points, i * 3, points, last);
      if (far < (nearest[i] as number)) nearest[i] = far;
      if ((nearest[i] as number) > (nearest[farthest] as number)) farthest = i;
    }
    chosen[k] = farthest;
  }
  return chosen;
}

/** Numbers of the `count` points nearest to one of them: itself, and the others from the nearest on; of equally near ones the first. */
export function nearestPoints(points: Float32Array, centre: number, count: number): Int32Array {
  const far = Float32Array.from({ length: points.length / 3 }, (_, i) => apart(points, i * 3, points, centre * 3));
  far[centre] = -1;
  const order = Int32Array.from(far.keys()).sort((a, b) => (far[a] as number) - (far[b] as number) || a - b);
  return order.subarray(0, count);
}

/** The groups around `count` points that lie far apart, [count, neighbours, 3]: what a model reads of a cloud. */
export function groupedPoints(points: Float32Array, count: number, neighbours: number): Float32Array {
  const groups = new Float32Array(count * neighbours * 3);
  for (const [k, centre] of farthestPoints(points, count).entries()) {
    for (const [j, point] of nearestPoints(points, centre, neighbours).entries()) {
      groups.set(points.subarray(point * 3, point * 3 + 3), (k * neighbours + j) * 3);
    }
  }
  return groups;
}

/** The centres of tokens that lie in space, [N, 3]: the first point of a group of points, of all else the mean of their points. */
export function centresIn(array: ArrayShape, values: Float32Array, grid: Lattice): Float32Array {
  const count = tokenCount(grid);
  const points = pointsIn(array, values);
  const each = points.length / count;
  const centres = Array.from({ length: count }, (_, token) => points.subarray(token * each, (token + 1) * each));
  const isGroup = placesInSpace(array)?.points === 1;
  return Float32Array.from(centres.flatMap((own) => [...(isGroup ? own.subarray(0, 3) : meanPoint(own))]));
}

/** The points [P, 3] without those that lie where another one does. */
export function differentPoints(points: Float32Array): Float32Array {
  const known = new Map<string, readonly number[]>();
  for (let at = 0; at < points.length; at += 3) {
    const point = [...points.subarray(at, at + 3)];
    known.set(point.join(), point);
  }
  return Float32Array.from([...known.values()].flat());
}

/** One point, the mean of some, [1, 3]. */
export const meanPoint = (points: Float32Array): Float32Array =>
  Float32Array.from(
    [0, 1, 2],
    (c) => points.filter((_, at) => at % 3 === c).reduce((sum, value) => sum + value, 0) / (points.length / 3),
  );

/** How far two sets of points are from each other: the mean squared distance to the nearest of the other set, there and back, added. */
export function setDistance(a: Float32Array, b: Float32Array): number {
  const oneWay = (from: Float32Array, to: Float32Array): number => {
    let sum = 0;
    for (let i = 0; i < from.length; i += 3) {
      let least = Number.POSITIVE_INFINITY;
      for (let j = 0; j < to.length; j += 3) least = Math.min(least, apart(from, i, to, j));
      sum += least;
    }
    return sum / (from.length / 3);
  };
  return oneWay(a, b) + oneWay(b, a);
}

/** Numbers of the centres [N, 3], from the nearest to one of them to the farthest: itself first. */
export const nearestCentres = (centres: Float32Array, one: number): Int32Array =>
  nearestPoints(centres, one, centres.length / 3);
