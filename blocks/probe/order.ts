/** Random orders of samples, and a pause in long computations. */

import type { Random } from "../../graph/index.js";

/** 0 .. count - 1 in random order (Fisher-Yates). */
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

/** Gives the caller's timers and signals their turn: a progress bar moves, an interrupt is heard. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
