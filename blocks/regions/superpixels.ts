/**
 * Segments of an image by a graph of its pixels, after Felzenszwalb and Huttenlocher (IJCV 2004). Step by step what scikit-image's
 * `felzenszwalb` computes, in float64 but for the limits, so that the segments are the same: borders mirrored before smoothing, eight
 * neighbours, Euclidean colour differences, `scale / 255`. Edges of equal cost are joined in the order right, down, down-right, up-right.
 */

import type { ImageShape } from "../arrays.js";

/** How coarsely an image is divided. */
export interface Coarseness {
  /** Larger: fewer and larger segments. */
  readonly scale: number;
  /** Smaller segments are joined with a neighbour. */
  readonly minSize: number;
}

/** Deviations after which the Gaussian is cut off. */
const reach = 4;
/** Costs are scaled to an image of 0..255, as in the authors' program. */
const levels = 255;

/**
 * pixels [H, W, C] in 0..1 -> for each coarseness the segment of every pixel [H, W], numbered from 0 in raster order of their first
 * pixels. `sigma`: deviation of the Gaussian that smooths the image first, in pixels; 0: none.
 */
export function superpixels(
  pixels: Float32Array | Float64Array,
  shape: ImageShape,
  sigma: number,
  each: readonly Coarseness[],
): readonly Int32Array[] {
  const { edges, costs } = neighbours(smooth(unrounded(pixels), shape, sigma), shape);
  const order = ascending(costs);
  return each.map(({ scale, minSize }) => {
    const forest = singles(shape.height * shape.width);
    joinAlike(forest, edges, costs, order, scale / levels);
    joinSmall(forest, edges, order, minSize);
    return numbered(forest);
  });
}

/** Bytes that were divided and rounded to float32 as they are in float64: differences that are equal stay equal. */
const unrounded = (pixels: Float32Array | Float64Array): Float64Array =>
  Float64Array.from(pixels, (value) => {
    const exact = Math.round(value * levels) * (1 / levels);
    return Math.fround(exact) === value ? exact : value;
  });

/** Weights of a Gaussian at -radius .. radius, with sum 1. */
function gaussian(sigma: number): Float64Array {
  const radius = Math.trunc(reach * sigma + 0.5);
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp((-0.5 / (sigma * sigma)) * (i - radius) ** 2),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Index mirrored at the outer edges of the first and last pixel: 0 before 0, length - 1 after length - 1. */
function mirrored(i: number, length: number): number {
  const period = 2 * length;
  const within = ((i % period) + period) % period;
  return within < length ? within : period - 1 - within;
}

/** Down, then across. */
function smooth(pixels: Float64Array, { height, width, channels }: ImageShape, sigma: number): Float64Array {
  if (sigma === 0) return pixels;
  const weights = gaussian(sigma);
  const down = smoothAxis(pixels, weights, { lines: width * channels, length: height, step: width * channels });
  const across = new Float64Array(pixels.length);
  const rowLength = width * channels;
  for (let y = 0; y < height; y++) {
    const row = down.subarray(y * rowLength, (y + 1) * rowLength);
    across.set(smoothAxis(row, weights, { lines: channels, length: width, step: channels }), y * rowLength);
  }
  return across;
}

interface Axis {
  /** Parallel lines, side by side. */
  readonly lines: number;
  /** Pixels of a line, `step` apart. */
  readonly length: number;
  readonly step: number;
}

/** Pairs of equal weight are summed from the outermost inwards: the order decides the last bit. */
function smoothAxis(from: Float64Array, weights: Float64Array, { lines, length, step }: Axis): Float64Array {
  const radius = (weights.length - 1) / 2;
  const result = new Float64Array(from.length);
  const places = Int32Array.from({ length: length + 2 * radius }, (_, i) => mirrored(i - radius, length) * step);
  for (let i = 0; i < length; i++) {
    for (let line = 0; line < lines; line++) {
      let sum = (from[line + i * step] as number) * (weights[radius] as number);
      for (let k = 0; k < radius; k++) {
        const before = from[line + (places[i + k] as number)] as number;
        const after = from[line + (places[i + 2 * radius - k] as number)] as number;
        sum += (before + after) * (weights[k] as number);
      }
      result[line + i * step] = sum;
    }
  }
  return result;
}

interface Edges {
  /** Two pixels for each edge. */
  readonly edges: Int32Array;
  readonly costs: Float64Array;
}

/** The edges of a kind: pixels `from` the top left and their partners at an offset, row by row. */
interface Direction {
  readonly top: number;
  readonly down: number;
  readonly right: number;
}

const directions: readonly Direction[] = [
  { top: 0, down: 0, right: 1 },
  { top: 0, down: 1, right: 0 },
  { top: 0, down: 1, right: 1 },
  { top: 1, down: -1, right: 1 },
];

/** All pairs of touching pixels and how far their colours are apart. */
function neighbours(image: Float64Array, { height, width, channels }: ImageShape): Edges {
  const total = directions.reduce((sum, { down, right }) => sum + (height - Math.abs(down)) * (width - right), 0);
  const edges = new Int32Array(2 * total);
  const costs = new Float64Array(total);
  let e = 0;
  for (const { top, down, right } of directions) {
    for (let y = top; y < top + height - Math.abs(down); y++) {
      for (let x = 0; x < width - right; x++) {
        const from = y * width + x;
        const to = (y + down) * width + x + right;
        edges[2 * e] = from;
        edges[2 * e + 1] = to;
        costs[e++] = distance(image, from * channels, to * channels, channels);
      }
    }
  }
  return { edges, costs };
}

function distance(image: Float64Array, a: number, b: number, channels: number): number {
  let squares = 0;
  for (let c = 0; c < channels; c++) {
    const difference = (image[a + c] as number) - (image[b + c] as number);
    squares += difference * difference;
  }
  return Math.sqrt(squares);
}

/** Bits that are sorted by at a time. */
const digit = 11;
const buckets = 2 ** digit;

/**
 * Indices that sort costs of at least 0, equal ones in their order. The bits of such numbers are in the order of the numbers:
 * their upper halves are sorted digit by digit from the lowest, then those that share one among themselves.
 */
function ascending(costs: Float64Array): Int32Array {
  const halves = new Uint32Array(costs.buffer, costs.byteOffset, costs.length * 2);
  let keys = new Uint32Array(costs.length);
  let order = new Int32Array(costs.length);
  for (let i = 0; i < costs.length; i++) {
    keys[i] = halves[2 * i + upperHalf] as number;
    order[i] = i;
  }
  let [nextKeys, nextOrder] = [new Uint32Array(costs.length), new Int32Array(costs.length)];
  for (let shift = 0; shift < 32; shift += digit) {
    const places = startsOf(keys, shift);
    for (let i = 0; i < costs.length; i++) {
      const key = keys[i] as number;
      const bucket = (key >>> shift) & (buckets - 1);
      const place = places[bucket] as number;
      places[bucket] = place + 1;
      nextKeys[place] = key;
      nextOrder[place] = order[i] as number;
    }
    [keys, nextKeys, order, nextOrder] = [nextKeys, keys, nextOrder, order];
  }
  sortAlike(order, keys, costs);
  return order;
}

/** Where the upper half of a float64 lies in memory. */
const upperHalf = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** The first place of each digit. */
function startsOf(keys: Uint32Array, shift: number): Int32Array {
  const starts = new Int32Array(buckets + 1);
  for (let i = 0; i < keys.length; i++) {
    const after = (((keys[i] as number) >>> shift) & (buckets - 1)) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number);
  return starts;
}

/** Sorts the indices whose keys are equal by their costs: few of a smooth image, thousands of a grey one that is not smoothed. */
function sortAlike(order: Int32Array, keys: Uint32Array, costs: Float64Array): void {
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && keys[to] === keys[from]) to++;
    if (to - from === 1) continue;
    order.subarray(from, to).sort((a, b) => (costs[a] as number) - (costs[b] as number) || a - b);
  }
}

/** Trees of pixels; the root of a segment is its first pixel. */
interface Forest {
  readonly parents: Int32Array;
  /** At roots: pixels of the segment. */
  readonly sizes: Int32Array;
}

function singles(count: number): Forest {
  const parents = new Int32Array(count);
  for (let i = 0; i < count; i++) parents[i] = i;
  return { parents, sizes: new Int32Array(count).fill(1) };
}

function rootOf({ parents }: Forest, pixel: number): number {
  let at = pixel;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at] as number] as number;
    at = parents[at] as number;
  }
  return at;
}

/** Joins two roots; gives the one that stays. */
function join({ parents, sizes }: Forest, a: number, b: number): number {
  const [root, other] = a < b ? [a, b] : [b, a];
  parents[other] = root;
  sizes[root] = (sizes[root] as number) + (sizes[other] as number);
  return root;
}

/** Joins segments whose edge costs less than the dearest within each plus `scale` over its size. */
function joinAlike(forest: Forest, edges: Int32Array, costs: Float64Array, order: Int32Array, scale: number): void {
  // In float32, as scikit-image has them: where many edges cost the same, the rounding decides.
  const limits = new Float32Array(forest.parents.length).fill(scale);
  for (let i = 0; i < order.length; i++) {
    const e = order[i] as number;
    const a = rootOf(forest, edges[2 * e] as number);
    const b = rootOf(forest, edges[2 * e + 1] as number);
    const cost = costs[e] as number;
    if (a === b || cost >= Math.min(limits[a] as number, limits[b] as number)) continue;
    const root = join(forest, a, b);
    // Edges come in ascending order, so this one is the dearest within.
    limits[root] = cost + scale / (forest.sizes[root] as number);
  }
}

function joinSmall(forest: Forest, edges: Int32Array, order: Int32Array, minSize: number): void {
  for (let i = 0; i < order.length; i++) {
    const e = order[i] as number;
    const a = rootOf(forest, edges[2 * e] as number);
    const b = rootOf(forest, edges[2 * e + 1] as number);
    if (a === b) continue;
    if (Math.min(forest.sizes[a] as number, forest.sizes[b] as number) < minSize) join(forest, a, b);
  }
}

function numbered(forest: Forest): Int32Array {
  const segments = new Int32Array(forest.parents.length);
  let count = 0;
  for (let pixel = 0; pixel < segments.length; pixel++) {
    const root = rootOf(forest, pixel);
    // The root is the first pixel of its segment, so it has its number by now.
    segments[pixel] = root === pixel ? count++ : (segments[root] as number);
  }
  return segments;
}
