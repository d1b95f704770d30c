/** Warm-up and half a cosine, the schedule of MAE. */

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

export const cosine = defineSchedule({
  name: "cosine",
  summary: "A linear warm-up, then half a cosine from the peak down to the floor.",
  source: "Loshchilov and Hutter, SGDR, ICLR 2017, without restarts; step by step as in He et al., CVPR 2022",
  since: "0.1",
  params: { warmup, ...floorParams },
  requires: [warmupEnds, oneFloor],
  factor(p, progress, peak) {
    const start = inSteps(p.warmup, progress);
    if (progress.step < start) return warmupFactor(p, progress);
    // The floor past the end, and where the warm-up has filled the whole training.
    const done = progress.step < progress.totalSteps ? (progress.step - start) / (progress.totalSteps - start) : 1;
    return halfCosine(floorOf(p, peak), done);
  },
});
