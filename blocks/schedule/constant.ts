/** The peak learning rate throughout. */

import { defineSchedule, warmup, warmupEnds, warmupFactor } from "./contract.js";

export const constant = defineSchedule({
  name: "constant",
  summary: "The peak learning rate throughout, after a warm-up.",
  source: "own definition",
  since: "0.1",
  params: { warmup },
  requires: [warmupEnds],
  factor: warmupFactor,
});
