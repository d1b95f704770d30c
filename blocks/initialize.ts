/** The starting numbers of a declared weight: one case for each `Initializer`. Where its randomness comes from is the caller's. */

import { invariant, type Random, showShape, sizeOf } from "../graph/index.js";
import type { Initializer, Parameter } from "./parameters.js";

/**
 * The values of one weight, row major. Computed in double precision and rounded once to float32.
 * Distributions follow torch.nn.init; the position table follows He et al. 2022 (facebookresearch/mae).
 * @throws InvariantError where a sine-cosine table has a width without a whole part for each axis, or another shape than its places.
 */
export function initialize(parameter: Parameter, random: Random): Float32Array {
  const { init } = parameter;
  const shape = parameter.shape.map(Number);
  const values = new Float32Array(sizeOf(shape));
  switch (init.kind) {
    case "zeros":
      return values;
    case "ones":
      return values.fill(1);
    case "constant":
      return values.fill(init.value);
    case "normal":
      return fill(values, () => init.std * random.normal());
    case "truncated_normal":
      return fill(values, () => init.std * truncatedNormal(random));
    case "uniform":
      return fill(values, () => symmetric(init.bound, random));
    case "xavier_uniform": {
      const bound = xavierBound(shape);
      return fill(values, () => symmetric(bound, random));
    }
    case "unit_rows":
      return unitRows(values, shape.at(-1) as number, random);
    case "sin_cos":
      return sinCos(values, shape, init);
  }
}

export const isFixedTable = ({ init }: Pick<Parameter, "init">): boolean => init.kind === "sin_cos";

/**
 * The values of a weight that is a fixed table of positions, as it would be with so many rows: those of its own lattice, or of a square.
 * null: the weight is no such table, or there is no such square.
 */
export function fixedTable({ init, shape }: Parameter, rows: number): Float32Array | null {
  if (init.kind !== "sin_cos") return null;
  const places = rows - init.extra;
  const side = Math.round(Math.sqrt(places));
  const counts = places === sizeOf(init.counts) ? init.counts : [side, side];
  const table = [1, rows, Number(shape.at(-1))];
  return places > 0 && sizeOf(counts) === places
    ? sinCos(new Float32Array(sizeOf(table)), table, { ...init, counts })
    : null;
}

function fill(values: Float32Array, draw: () => number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

/** U(-bound, bound) */
const symmetric = (bound: number, random: Random): number => (2 * random.uniform() - 1) * bound;

/** The standard normal on [-2, 2], by rejection; about one draw in 22 is rejected. */
function truncatedNormal(random: Random): number {
  for (;;) {
    const value = random.normal();
    if (Math.abs(value) <= 2) return value;
  }
}

/** Normal numbers, each row of them divided by its length. */
function unitRows(values: Float32Array, width: number, random: Random): Float32Array {
  const row = new Float64Array(width);
  for (let start = 0; start < values.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) {
      const value = random.normal();
      row[i] = value;
      squares += value * value;
    }
    const length = Math.sqrt(squares);
    for (let i = 0; i < width; i++) values[start + i] = (row[i] as number) / length;
  }
  return values;
}

/** An array of more than two axes counts as the matrix [first, product of the others]. */
function xavierBound([out = 1, ...ins]: readonly number[]): number {
  return Math.sqrt(6 / (sizeOf(ins) + out));
}

/**
 * Of each axis that is encoded [sin(place w), cos(place w)], the last axis first, w_k = 10000^(-k / K) with K numbers each: of rows and columns
 * a quarter of the width. The official checkpoints have the column first, although their code calls that half "h". `flat`: sines and
 * cosines of the place in the sequence by turns, as Vaswani et al. 2017 and VideoMAE have them.
 */
function sinCos(values: Float32Array, shape: readonly number[], init: Initializer & { kind: "sin_cos" }): Float32Array {
  const { counts, extra, order } = init;
  const width = shape.at(-1) as number;
  const [places, axes] = [sizeOf(counts), order === "flat" ? [sizeOf(counts)] : counts];
  const along = init.along ?? axes.map((_, i) => i);
  const each = width / (2 * along.length);
  invariant(Number.isInteger(each), `a sine-cosine table needs a width divisible by ${2 * along.length}, not ${width}`);
  invariant(
    values.length === (extra + places) * width,
    `a sine-cosine table of ${showShape(shape)} has no room for ${counts.join("x")} positions`,
  );
  const frequencies = Float64Array.from({ length: each }, (_, k) => 1 / 10000 ** (k / each));
  const [step, apart] = order === "flat" ? [2, 1] : [1, each];
  for (let position = 0; position < places; position++) {
    let [start, rest] = [(extra + position) * width, position];
    for (const [axis, count] of [...axes.entries()].reverse()) {
      const place = rest % count;
      rest = Math.floor(rest / count);
      if (!along.includes(axis)) continue;
      for (const [k, frequency] of frequencies.entries()) {
        values[start + k * step] = Math.sin(place * frequency);
        values[start + k * step + apart] = Math.cos(place * frequency);
      }
      start += 2 * each;
    }
  }
  return values;
}
