/**
 * How properties are tried. By default every run of the tests tries the same texts, shapes and numbers, so that a failure
 * is the change's own; `MAE_FUZZ=20` tries twenty times as many, new ones each time, and prints the seed of a failure.
 */

import fc from "fast-check";

const times = Number(process.env.MAE_FUZZ ?? 0);

/** How many cases a property is tried with that usually needs `count`. */
export function runs(count: number): number {
  return count * Math.max(1, times);
}

fc.configureGlobal({ numRuns: runs(100), ...(times > 0 ? {} : { seed: 2026 }) });
