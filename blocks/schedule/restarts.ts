/** Warm restarts: the cosine begins again and again, each time for longer. */

import { duration, real } from "../params.js";
import { inSteps } from "../progress.js";
import {
  defineSchedule,
  floorOf,
  floorParams,
  halfCosine,
  oneFloor,
  warmup,
  warmupEnds,
  warmupFactor,
} from "./contract.js";

/** Where in its cycle a step stands, in [0, 1): cycles of `length` steps, each `growth` times as long as the one before. */
function placeInCycle(step: number, length: number, growth: number): number {
  if (growth === 1) return (step % length) / length;
  // The cycles before number n have length (growth^n - 1) / (growth - 1) steps together.
  const n = Math.floor(Math.log(1 + (step / length) * (growth - 1)) / Math.log(growth) + 1e-9);
  const begin = (length * (growth ** n - 1)) / (growth - 1);
  return Math.max(0, step - begin) / (length * growth ** n);
}

export const restarts = defineSchedule({
  name: "restarts",
  summary: "A linear warm-up, then half cosines from the peak down to the floor, one after the other.",
  source: "Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017, equation 5",
  since: "0.2",
  params: {
    cycle: duration({ doc: "Length of the first cosine, counted from the end of the warm-up." }),
    growth: real({ min: 1, max: 1000, default: 1, doc: "How much longer each cosine is than the one before it." }),
    warmup,
    ...floorParams,
  },
  requires: [
    {
      name: "cycle-above-zero",
      at: "cycle",
      doc: "A cycle is longer than 0.",
      holds: (p) => p.cycle.amount > 0,
      say: (p) => `the learning rate cannot start again every ${p.cycle.amount} ${p.cycle.unit}`,
      help: () => "write a length such as `10 epochs`",
    },
    warmupEnds,
    oneFloor,
  ],
  factor(p, progress, peak) {
    const start = inSteps(p.warmup, progress);
    if (progress.step < start) return warmupFactor(p, progress);
    return halfCosine(floorOf(p, peak), placeInCycle(progress.step - start, inSteps(p.cycle, progress), p.growth));
  },
});
