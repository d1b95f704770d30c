/** What the features of many samples are like: their spectrum, how they lie on the sphere, how clusters agree with classes, and how alike two models are. */

import { addGram, eigenvalues, mirror } from "../../blocks/index.js";
import { type Random, shuffled } from "../../graph/index.js";

/** Rows of numbers. */
export interface Rows {
  /** [count, width] */
  readonly values: Float32Array;
  readonly count: number;
  readonly width: number;
}

/** Products of rows with each other, [count, count], in float64. */
function productsOf({ values, count, width }: Rows): Float64Array {
  const products = new Float64Array(count * count);
  addGram(Float64Array.from(values), count, width, products);
  mirror(products, count);
  return products;
}

/** The same rows as columns. */
function turned({ values, count, width }: Rows): Rows {
  const columns = new Float32Array(values.length);
  for (let a = 0; a < count; a++)
    for (let i = 0; i < width; i++) columns[i * count + a] = values[a * width + i] as number;
  return { values: columns, count: width, width: count };
}

/** Each row divided by its length. */
export function unitRows({ values, count, width }: Rows): Rows {
  const unit = Float32Array.from(values);
  for (let a = 0; a < count; a++) {
    const row = unit.subarray(a * width, (a + 1) * width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let i = 0; i < width; i++) row[i] = (row[i] as number) / length;
  }
  return { values: unit, count, width };
}

/** The singular values of rows, less their mean unless they are not to be centred; the largest first. */
export function spectrumOf(rows: Rows, { centred: isCentred = true } = {}): Float64Array {
  const { count, width } = rows;
  const centred = Float32Array.from(rows.values);
  for (let i = 0; isCentred && i < width; i++) {
    let mean = 0;
    for (let a = 0; a < count; a++) mean += (centred[a * width + i] as number) / count;
    for (let a = 0; a < count; a++) centred[a * width + i] = (centred[a * width + i] as number) - mean;
  }
  const own: Rows = { values: centred, count, width };
  const products = productsOf(count < width ? own : turned(own));
  return eigenvalues(products, Math.min(count, width))
    .map((value) => Math.sqrt(Math.max(0, value)))
    .reverse();
}

/** (sum of variances)^2 over the sum of their squares: in how many directions features spread as if these were equal. */
export function participationRatio(spectrum: Float64Array): number {
  const variances = spectrum.map((value) => value * value);
  const sum = variances.reduce((total, value) => total + value, 0);
  const squares = variances.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 0 : (sum * sum) / squares;
}

/** The variance of a feature over the rows, the mean over features, by the spectrum of the centred rows. */
export const meanVariance = (spectrum: Float64Array, { count, width }: Rows): number =>
  spectrum.reduce((sum, value) => sum + value * value, 0) / (count * width);

/** The logarithm of the mean of exp(-2 |x - y|^2) over pairs of unit rows: the lower, the more evenly they lie on the sphere. Wang and Isola, ICML 2020. */
export function uniformity(rows: Rows): number {
  const { count } = rows;
  const cosines = productsOf(unitRows(rows));
  let sum = 0;
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) sum += Math.exp(-2 * Math.max(0, 2 - 2 * (cosines[a * count + b] as number)));
  }
  return Math.log(sum / ((count * (count - 1)) / 2));
}

/** The mean of |x - y|^2 over rows that belong together, made unit rows. */
export function alignment(first: Rows, second: Rows): number {
  const [a, b] = [unitRows(first), unitRows(second)];
  return a.values.reduce((sum, value, i) => sum + (value - (b.values[i] as number)) ** 2, 0) / a.count;
}

/**
 * How alike two models see the same samples by their `centredProducts`, 0 to 1: centred kernel alignment of linear kernels. Kornblith et al., Similarity of
 * Neural Network Representations Revisited, ICML 2019.
 */
export function kernelAlignment(a: Float64Array, b: Float64Array): number {
  const along = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  const lengths = Math.sqrt(along(a, a) * along(b, b));
  return lengths === 0 ? 0 : along(a, b) / lengths;
}

/** Products of samples' features with each other, less the means of rows and columns, [count, count]. */
export function centredProducts(rows: Rows): Float64Array {
  const { count } = rows;
  const products = productsOf(rows);
  const means = Float64Array.from({ length: count }, (_, a) => {
    let sum = 0;
    for (let b = 0; b < count; b++) sum += products[a * count + b] as number;
    return sum / count;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  return products.map(
    (value, at) => value - (means[Math.floor(at / count)] as number) - (means[at % count] as number) + mean,
  );
}

const mostRounds = 100;

/** The cluster of each row: k-means from centres that lie apart (Arthur and Vassilvitskii, k-means++), the best of `tries` starts. */
export function clustersOf(rows: Rows, k: number, random: Random, tries = 5): Int32Array {
  let [best, least] = [new Int32Array(rows.count), Number.POSITIVE_INFINITY];
  for (let attempt = 0; attempt < tries; attempt++) {
    const { clusters, error } = onceClustered(rows, Math.min(k, rows.count), random);
    if (error < least) [best, least] = [clusters, error];
  }
  return best;
}

function onceClustered(
  rows: Rows,
  k: number,
  random: Random,
): { readonly clusters: Int32Array<ArrayBuffer>; readonly error: number } {
  const { values, count, width } = rows;
  const distance = (row: number, centre: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += ((values[row * width + i] as number) - (centre[i] as number)) ** 2;
    return sum;
  };
  const rowAt = (row: number): Float64Array => Float64Array.from(values.subarray(row * width, (row + 1) * width));
  const centres = [rowAt(random.integer(count))];
  const near = Float64Array.from({ length: count }, (_, row) => distance(row, centres[0] as Float64Array));
  while (centres.length < k) {
    let left = random.uniform() * near.reduce((sum, value) => sum + value, 0);
    let next = near.findIndex((value) => {
      left -= value;
      return left < 0;
    });
    if (next < 0) next = random.integer(count);
    const centre = rowAt(next);
    centres.push(centre);
    for (let row = 0; row < count; row++) near[row] = Math.min(near[row] as number, distance(row, centre));
  }
  const clusters = new Int32Array(count).fill(-1);
  let error = 0;
  for (let round = 0; round < mostRounds; round++) {
    let moved = false;
    error = 0;
    for (let row = 0; row < count; row++) {
      let [cluster, least] = [0, Number.POSITIVE_INFINITY];
      for (const [c, centre] of centres.entries()) {
        const far = distance(row, centre);
        if (far < least) [cluster, least] = [c, far];
      }
      moved ||= clusters[row] !== cluster;
      clusters[row] = cluster;
      error += least;
    }
    if (!moved) break;
    for (const [c, centre] of centres.entries()) {
      const own = [...clusters.keys()].filter((row) => clusters[row] === c);
      if (own.length === 0) continue;
      centre.fill(0);
      for (const row of own)
        for (let i = 0; i < width; i++)
          centre[i] = (centre[i] as number) + (values[row * width + i] as number) / own.length;
    }
  }
  return { clusters, error };
}

/** How much two labellings say of each other: their mutual information over the mean of their entropies, 0 to 1. */
export function sharedInformation(first: Int32Array, second: Int32Array): number {
  const counted = (keys: readonly string[]): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1 / keys.length);
    return counts;
  };
  const entropy = (shares: ReadonlyMap<string, number>): number =>
    [...shares.values()].reduce((sum, share) => sum - share * Math.log(share), 0);
  const [a, b] = [[...first].map(String), [...second].map(String)];
  const [ofA, ofB] = [entropy(counted(a)), entropy(counted(b))];
  const both = entropy(counted(a.map((one, i) => `${one} ${b[i]}`)));
  return ofA + ofB === 0 ? 1 : (2 * (ofA + ofB - both)) / (ofA + ofB);
}

/** What of an image belongs together, by one cut. */
export interface Cut {
  /** 1 on the smaller side of the cut, 0 on the other. */
  readonly sides: Uint8Array;
  /** Mean cosine of two tokens on one side, less that of two on different sides. */
  readonly gap: number;
}

/**
 * Cuts the tokens of a sample in two where they are least alike: by the sign of the second eigenvector of the normalised graph whose edges are
 * cosines above 0. Shi and Malik, Normalized Cuts and Image Segmentation, 2000; the gap of Shin et al., Self-Guided Masked Autoencoders, 2024.
 */
export function normalizedCut(tokens: Rows, random: Random): Cut {
  const { count } = tokens;
  const cosines = productsOf(unitRows(tokens));
  const edges = cosines.map((value) => Math.max(value, 0) + 1e-6);
  const roots = Float64Array.from({ length: count }, (_, a) => {
    let sum = 0;
    for (let b = 0; b < count; b++) sum += edges[a * count + b] as number;
    return Math.sqrt(sum);
  });
  const vector = secondVector(edges, roots, random);
  // The sign of an eigenvector is nobody's: 1 is the smaller side.
  const isMostly = vector.filter((value) => value > 0).length * 2 > count;
  const sides = Uint8Array.from(vector, (value) => (value > 0 !== isMostly ? 1 : 0));
  let [within, inside, between, across] = [0, 0, 0, 0];
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const cosine = cosines[a * count + b] as number;
      if (sides[a] === sides[b]) [within, inside] = [within + 1, inside + cosine];
      else [between, across] = [between + 1, across + cosine];
    }
  }
  return { sides, gap: within === 0 || between === 0 ? 0 : inside / within - across / between };
}

/**
 * The eigenvector of the second largest eigenvalue of D^-1/2 W D^-1/2, times D^-1/2, by powers of it plus the identity; that of the largest is the roots
 * of D.
 */
function secondVector(edges: Float64Array, roots: Float64Array, random: Random): Float64Array {
  const count = roots.length;
  const length = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0)) || 1;
  const first = roots.map((value) => value / length(roots));
  let x = Float64Array.from({ length: count }, () => random.uniform() - 0.5);
  for (let round = 0; round < 500; round++) {
    const along = x.reduce((sum, value, i) => sum + value * (first[i] as number), 0);
    x = x.map((value, i) => value - along * (first[i] as number));
    const size = length(x);
    const start = x.map((value) => value / size);
    const next = new Float64Array(count);
    for (let a = 0; a < count; a++) {
      let sum = 0;
      for (let b = 0; b < count; b++) {
        sum +=
          ((edges[a * count + b] as number) / ((roots[a] as number) * (roots[b] as number))) * (start[b] as number);
      }
      next[a] = sum + (start[a] as number);
    }
    const scale = length(next);
    const moved = start.reduce((most, value, i) => Math.max(most, Math.abs(value - (next[i] as number) / scale)), 0);
    x = next;
    if (moved < 1e-9) break;
  }
  return x.map((value, i) => value / (roots[i] as number));
}

/** So many rows, drawn without order. */
export function someRows(rows: Rows, most: number, random: Random): Rows {
  if (rows.count <= most) return rows;
  const { width } = rows;
  const chosen = shuffled(rows.count, random).subarray(0, most);
  const values = new Float32Array(most * width);
  for (const [at, row] of chosen.entries())
    values.set(rows.values.subarray(row * width, (row + 1) * width), at * width);
  return { values, count: most, width };
}
