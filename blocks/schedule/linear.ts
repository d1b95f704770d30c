/** Warm-up and a straight line down, the schedule of BERT. */

import { ratio } from "../params.js";
import { inSteps } from "../progress.js";
import { defineSchedule, warmup, warmupEnds, warmupFactor } from "./contract.js";

export const linear = defineSchedule({
  name: "linear",
  summary: "A linear warm-up, then a straight line from the peak down to the floor.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, appendix A.2",
  since: "0.2",
  params: {
    warmup,
    floor: ratio({ default: 0, doc: "Share of the peak that is left at the end." }),
  },
  requires: [warmupEnds],
  factor(p, progress) {
    const start = inSteps(p.warmup, progress);
    if (progress.step < start) return warmupFactor(p, progress);
    // The floor past the end, and where the warm-up has filled the whole training.
    const done = progress.step < progress.totalSteps ? (progress.step - start) / (progress.totalSteps - start) : 1;
    return p.floor + (1 - p.floor) * (1 - done);
  },
});
