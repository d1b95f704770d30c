/** Recipes beside each other: whose turn a step is. That they learn as in PyTorch, and go on bit for bit, is shown by the examples. */

import { expect, test } from "vitest";
import { lengthInTurns, turnsOf } from "../../runtime/train/turns.js";

test("steps take turns, one of each or as many as each has, and any step tells how many came before it", () => {
  for (const mix of ["alternate", "proportional"] as const) {
    const lengths = [3, 5, 1];
    const turns = turnsOf(mix, lengths);
    const counts = lengths.map(() => 0);
    const order: number[] = [];
    for (let step = 0; step < 3 * turns.stepsPerEpoch; step++) {
      const { which, before } = turns.at(step);
      expect([before, lengths.map((_, k) => turns.before(k, step))]).toEqual([counts[which], counts]);
      counts[which] = (counts[which] as number) + 1;
      order.push(which);
    }
    expect(counts).toEqual(mix === "alternate" ? [9, 9, 9] : [9, 15, 3]);
    expect(order.slice(0, 9)).toEqual(mix === "alternate" ? [0, 1, 2, 0, 1, 2, 0, 1, 2] : [1, 0, 1, 2, 1, 0, 1, 0, 1]);
    expect(lengthInTurns(turns, { epochs: 4, steps: null })).toEqual({ stepsPerEpoch: 9, totalSteps: 36 });
  }
});
