/** Windows of time cut out of recordings, as long as the model's input: at a random time, or the middle. */

import { flag } from "../params.js";
import { defineAugment } from "./contract.js";

const pad = flag({
  default: false,
  doc: "Whether zeros follow a recording that is shorter; otherwise a shorter one is left as it is.",
});
const middle = 0.5;

export const randomWindow = defineAugment({
  name: "random_window",
  summary: "Cuts out a window of the input's length at a random time; in evaluation, the middle.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: { pad },
  random: true,
  plan: ({ pad }, _current, _context, random) => [{ kind: "cut", at: random.uniform(), pad }],
  evaluationPlan: ({ pad }) => [{ kind: "cut", at: middle, pad }],
});

export const centerWindow = defineAugment({
  name: "center_window",
  summary: "Cuts out the middle, of the input's length.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: { pad },
  random: false,
  plan: ({ pad }) => [{ kind: "cut", at: middle, pad }],
});
