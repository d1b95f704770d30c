/** A pause in long computations. */

/** Gives the caller's timers and signals their turn: a progress bar moves, an interrupt is heard. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
