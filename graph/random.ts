/**
 * What is asked of random numbers. A stream is a pure function of seed, purpose and counters (step, sample ...), so masks,
 * crops and weights are the same on every backend, in every worker and after every resume. `philox.ts` makes them.
 */

export type Purpose = "init" | "mask" | "augment" | "shuffle" | "dropout" | "probe" | "field" | "pairs" | "generate";

export interface Random {
  /** In [0, 1), a multiple of 2^-24, so exact in float32. */
  uniform(): number;
  /** A whole number in [0, below). Unbiased. */
  integer(below: number): number;
  /** Mean 0, variance 1. */
  normal(): number;
}

/** The whole numbers 0 .. count - 1 in a uniformly random order (Fisher and Yates). */
export function shuffled(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const last = order[i] as number;
    order[i] = order[j] as number;
    order[j] = last;
  }
  return order;
}
