/** The starting numbers of a declared weight: one case for each `Initializer`. Where its randomness comes from is the caller's. */

import { invariant, type Random, showShape, sizeOf } from "../graph/index.js";
import type { Initializer, Parameter } from "./parameters.js";

/**
 * The values of one weight, row major. Computed in double precision and rounded once to float32.
 * Distributions follow torch.nn.init; the position table follows He et al. 2022 (facebookresearch/mae).
 * @throws InvariantError where a sine-cosine table has a width that is not divisible by 4, or another shape than its grid.
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
    case "sin_cos":
      return sinCos(values, shape, init);
  }
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

/** An array of more than two axes counts as the matrix [first, product of the others]. */
function xavierBound([out = 1, ...ins]: readonly number[]): number {
  return Math.sqrt(6 / (sizeOf(ins) + out));
}

/**
 * Rows of [sin(column w), cos(column w), sin(row w), cos(row w)], D/4 numbers each, w_k = 10000^(-k / (D/4)).
 * The official checkpoints have the column first, although their code calls that half "h".
 */
function sinCos(values: Float32Array, shape: readonly number[], init: Initializer & { kind: "sin_cos" }): Float32Array {
  const width = shape.at(-1) as number;
  const quarter = width / 4;
  invariant(Number.isInteger(quarter), `a sine-cosine table needs a width divisible by 4, not ${width}`);
  invariant(
    values.length === (init.extra + init.rows * init.columns) * width,
    `a sine-cosine table of ${showShape(shape)} has no room for ${init.rows}x${init.columns} positions`,
  );
  const frequencies = Float64Array.from({ length: quarter }, (_, k) => 1 / 10000 ** (k / quarter));
  for (let position = 0; position < init.rows * init.columns; position++) {
    const row = Math.floor(position / init.columns);
    const column = position % init.columns;
    const start = (init.extra + position) * width;
    for (const [k, frequency] of frequencies.entries()) {
      values[start + k] = Math.sin(column * frequency);
      values[start + quarter + k] = Math.cos(column * frequency);
      values[start + 2 * quarter + k] = Math.sin(row * frequency);
      values[start + 3 * quarter + k] = Math.cos(row * frequency);
    }
  }
  return values;
}
