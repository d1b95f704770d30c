/** Stairs: the learning rate falls by a factor at equal distances. */

import { duration, real } from "../params.js";
import { inSteps } from "../progress.js";
import { defineSchedule, warmup, warmupEnds, warmupFactor } from "./contract.js";

export const step = defineSchedule({
  name: "step",
  summary: "Multiplies the learning rate by a factor at equal distances, after a warm-up.",
  source: "He et al., Deep Residual Learning for Image Recognition, CVPR 2016, section 3.4, at fixed distances",
  since: "0.1",
  params: {
    every: duration({
      default: { amount: 30, unit: "epochs" },
      doc: "Distance between two falls, counted from the first step.",
    }),
    factor: real({ min: 0, max: 1, openMin: true, default: 0.1, doc: "What the learning rate is multiplied by." }),
    warmup,
  },
  requires: [
    {
      name: "every-above-zero",
      at: "every",
      doc: "The distance between two falls is above 0.",
      holds: (p) => p.every.amount > 0,
      say: (p) => `the learning rate cannot fall every ${p.every.amount} ${p.every.unit}`,
      help: () => "write a distance such as `30 epochs`",
    },
    warmupEnds,
  ],
  factor: (p, progress) =>
    warmupFactor(p, progress) * p.factor ** Math.floor(progress.step / inSteps(p.every, progress)),
});
