/** How far the surface of what is said lies from the surface of what is there, place by place, along any number of axes. */

/** The share of distances that lie below the one that is told. */
const share = 0.95;

/** A part of an array: its first place along each axis, and how many there are. */
interface Box {
  readonly first: readonly number[];
  readonly sizes: readonly number[];
}

/**
 * Of each class, the larger of both directions' 95th percentiles of distances from a place of one surface to the nearest of the other, in
 * places; NaN of a class that is not both said and there. A place is of the surface where a neighbour along an axis is not of the class, or
 * lies outside. Places whose class is below zero are of none.
 */
export function surfaceDistances(
  said: ArrayLike<number>,
  there: ArrayLike<number>,
  sizes: readonly number[],
  classes: number,
): readonly number[] {
  return Array.from({ length: classes }, (_, k) => {
    const isSaid = (at: number): boolean => said[at] === k && (there[at] as number) >= 0;
    const isThere = (at: number): boolean => there[at] === k;
    const ways = surfaceWays(isSaid, isThere, sizes);
    return ways === null ? Number.NaN : Math.max(...ways.map(percentile));
  });
}

/** From each place of one surface to the nearest of the other, and back; null: one of them has no place. */
export function surfaceWays(
  isOwn: (at: number) => boolean,
  isOther: (at: number) => boolean,
  sizes: readonly number[],
): readonly [there: readonly number[], back: readonly number[]] | null {
  const [own, other] = [surfaceOf(isOwn, sizes), surfaceOf(isOther, sizes)];
  if (own.length === 0 || other.length === 0) return null;
  const box = boxAround([...own, ...other], sizes);
  return [distancesTo(other, own, sizes, box), distancesTo(own, other, sizes, box)];
}

const stridesOf = (sizes: readonly number[]): readonly number[] =>
  sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, n) => product * n, 1));

/** The number of a place along an axis. */
const along = (at: number, stride: number, size: number): number => Math.floor(at / stride) % size;

/** The places of a class that have one of another, or none, beside them. */
function surfaceOf(isIn: (at: number) => boolean, sizes: readonly number[]): readonly number[] {
  const strides = stridesOf(sizes);
  const places = sizes.reduce((product, n) => product * n, 1);
  const found: number[] = [];
  for (let at = 0; at < places; at++) {
    if (!isIn(at)) continue;
    const isInside = sizes.every((size, axis) => {
      const stride = strides[axis] as number;
      const own = along(at, stride, size);
      return own > 0 && own < size - 1 && isIn(at - stride) && isIn(at + stride);
    });
    if (!isInside) found.push(at);
  }
  return found;
}

function boxAround(places: readonly number[], sizes: readonly number[]): Box {
  const strides = stridesOf(sizes);
  const [first, last] = [sizes.map((size) => size), sizes.map(() => 0)];
  for (const at of places) {
    for (const [axis, size] of sizes.entries()) {
      const own = along(at, strides[axis] as number, size);
      first[axis] = Math.min(first[axis] as number, own);
      last[axis] = Math.max(last[axis] as number, own);
    }
  }
  return { first, sizes: last.map((n, axis) => n - (first[axis] as number) + 1) };
}

/** From each of the places `from` to the nearest of `to`; all lie in the box. */
function distancesTo(
  to: readonly number[],
  from: readonly number[],
  sizes: readonly number[],
  box: Box,
): readonly number[] {
  const [outer, inner] = [stridesOf(sizes), stridesOf(box.sizes)];
  const within = (at: number): number =>
    sizes.reduce((sum, size, axis) => {
      const own = along(at, outer[axis] as number, size) - (box.first[axis] as number);
      return sum + own * (inner[axis] as number);
    }, 0);
  const squares = new Float64Array(box.sizes.reduce((product, n) => product * n, 1)).fill(Number.POSITIVE_INFINITY);
  for (const at of to) squares[within(at)] = 0;
  for (const [axis, size] of box.sizes.entries()) spreadAlong(squares, size, inner[axis] as number);
  return from.map((at) => Math.sqrt(squares[within(at)] as number));
}

/**
 * Along one axis, the least of the squares at each place and (distance)^2 away: the lower envelope of parabolas (Felzenszwalb and
 * Huttenlocher, Distance Transforms of Sampled Functions, 2012).
 */
function spreadAlong(squares: Float64Array, size: number, stride: number): void {
  const [line, tops, begins] = [new Float64Array(size), new Int32Array(size), new Float64Array(size)];
  for (let start = 0; start < squares.length; start++) {
    if (along(start, stride, size) !== 0) continue;
    for (let i = 0; i < size; i++) line[i] = squares[start + i * stride] as number;
    let last = -1;
    for (let i = 0; i < size; i++) {
      const height = (line[i] as number) + i * i;
      if (height === Number.POSITIVE_INFINITY) continue;
      let begin = Number.NEGATIVE_INFINITY;
      while (last >= 0) {
        const top = tops[last] as number;
        begin = (height - (line[top] as number) - top * top) / (2 * (i - top));
        if (begin > (begins[last] as number)) break;
        last--;
        begin = Number.NEGATIVE_INFINITY;
      }
      last++;
      tops[last] = i;
      begins[last] = begin;
    }
    if (last < 0) continue;
    for (let i = 0, piece = 0; i < size; i++) {
      while (piece < last && (begins[piece + 1] as number) < i) piece++;
      const top = tops[piece] as number;
      squares[start + i * stride] = (i - top) ** 2 + (line[top] as number);
    }
  }
}

/** Between the two distances around it, as far as it lies between them. */
function percentile(distances: readonly number[]): number {
  const sorted = Float64Array.from(distances).sort();
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (at - Math.floor(at)) * (high - low);
}
