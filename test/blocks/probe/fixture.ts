/** The recorded features and results, and random numbers for probes that draw some. */

import type { Features } from "../../../blocks/probe/index.js";
import type { Random } from "../../../graph/index.js";
import { readFixture } from "../../reference/fixture.js";

interface Header {
  readonly classes: number;
  readonly knn: { readonly k: number; readonly temperature: number; readonly top1: number; readonly top5: number };
  readonly ridge: {
    readonly penalties: readonly number[];
    readonly held_out_top1: readonly number[];
    readonly test_top1: readonly number[];
  };
  readonly rank: { readonly train: number; readonly test: number };
  readonly linear: {
    readonly epochs: number;
    readonly warmup: number;
    readonly batch: number;
    readonly rates: Readonly<Record<"lars" | "sgd", number>>;
    readonly lars: { readonly top1: number };
    readonly sgd: { readonly top1: number };
  };
}

export const reference = readFixture<Header>("probes");

const features = (split: string): Features => {
  const [count, width] = reference.shape(`${split}/values`) as readonly [number, number];
  return {
    values: reference.values(`${split}/values`) as Float32Array,
    labels: reference.values(`${split}/labels`) as Int32Array,
    count,
    width,
    classes: reference.header.classes,
  };
};

export const train = features("train");
export const test = features("test");

/** A linear congruential generator: good enough to shuffle test data, and in full view. */
export function plainRandom(seed: number): Random {
  let state = BigInt(seed) * 2n + 1n;
  const uniform = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number(state >> 40n) / 2 ** 24;
  };
  return {
    uniform,
    integer: (below) => Math.floor(uniform() * below),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Largest difference, beside the largest value. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  let size = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    largest = Math.max(largest, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
    size = Math.max(size, Math.abs(b[i] as number));
  }
  return largest === 0 ? 0 : largest / size;
}
