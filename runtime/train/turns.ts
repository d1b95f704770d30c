/** Whose turn a step is, where recipes stand beside each other: a function of the step alone, so that a run that was cut goes on the same. */

import type { Training } from "./contract.js";
import type { Length } from "./pace.js";

/** A step of one of several recipes. */
export interface Turn {
  /** The number of the recipe; 0 is the one that the others stand beside. */
  readonly which: number;
  /** Steps of that recipe before it. */
  readonly before: number;
}

export interface Turns {
  /** Of all recipes together. */
  readonly stepsPerEpoch: number;
  /** Of a step, counted from 0. */
  readonly at: (step: number) => Turn;
  /** How many of the first `steps` are those of a recipe. */
  readonly before: (which: number, steps: number) => number;
}

/** `stepsPerEpoch`: of each recipe alone, that of the first in front. An epoch is one pass over the data of the first, of all where they are proportional. */
export function turnsOf(mix: NonNullable<Training["mix"]>, stepsPerEpoch: readonly number[]): Turns {
  const [first = 1] = stepsPerEpoch;
  const shares = mix === "alternate" ? stepsPerEpoch.map(() => 1) : stepsPerEpoch;
  const order = spread(shares);
  const rounds = mix === "alternate" ? first : 1;
  const done = countsBefore(order, shares.length);
  const before = (which: number, steps: number): number =>
    Math.floor(steps / order.length) * (shares[which] as number) +
    ((done[which] as Uint32Array)[steps % order.length] as number);
  return {
    stepsPerEpoch: order.length * rounds,
    at: (step) => {
      const which = order[step % order.length] as number;
      return { which, before: before(which, step) };
    },
    before,
  };
}

/** So many places of each number, evenly spread: each place is that of the number which lies furthest behind its share. */
function spread(shares: readonly number[]): Uint8Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const order = new Uint8Array(total);
  const given = shares.map(() => 0);
  for (let i = 0; i < total; i++) {
    let next = 0;
    const behind = (k: number): number => (shares[k] as number) * (i + 1) - (given[k] as number) * total;
    for (let k = 1; k < shares.length; k++) if (behind(k) > behind(next)) next = k;
    order[i] = next;
    given[next] = (given[next] as number) + 1;
  }
  return order;
}

/** For each number, how often it stands before each place. */
function countsBefore(order: Uint8Array, numbers: number): readonly Uint32Array[] {
  return Array.from({ length: numbers }, (_, which) => {
    const counts = new Uint32Array(order.length);
    for (let i = 1; i < order.length; i++) counts[i] = (counts[i - 1] as number) + (order[i - 1] === which ? 1 : 0);
    return counts;
  });
}

/** How long a training is in which the steps of several recipes take turns. */
export const lengthInTurns = (
  { stepsPerEpoch }: Turns,
  { epochs, steps }: Pick<Training, "epochs" | "steps">,
): Length => ({
  stepsPerEpoch,
  totalSteps: steps ?? (epochs as number) * stepsPerEpoch,
});
