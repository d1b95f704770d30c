/**
 * What is asked of random numbers. A stream is a pure function of seed, purpose and counters (step, sample ...), so masks,
 * crops and weights are the same on every backend, in every worker and after every resume. `philox.ts` makes them.
 */

export type Purpose = "init" | "mask" | "augment" | "shuffle" | "dropout" | "probe" | "field";

export interface Random {
  /** In [0, 1), a multiple of 2^-24, so exact in float32. */
  uniform(): number;
  /** A whole number in [0, below). Unbiased. */
  integer(below: number): number;
  /** Mean 0, variance 1. */
  normal(): number;
}
