/** Windows of time cut out of recordings, as long as the model's input: at a random time, or the middle. */

import { flag } from "../params.js";
import { type AugmentContext, defineAugment, middleView, shareOf } from "./contract.js";

const pad = flag({
  default: false,
  doc: "Whether zeros follow a recording that is shorter; otherwise a shorter one is left as it is.",
});

/** The middle, or where evaluation looks at several. */
const placeOf = ({ view = middleView }: AugmentContext): number => shareOf(view.clip);

export const randomWindow = defineAugment({
  name: "random_window",
  summary: "Cuts out a window of the input's length at a random time; in evaluation, the middle.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: { pad },
  random: true,
  plan: ({ pad }, _current, _context, random) => [{ kind: "cut", at: random.uniform(), pad }],
  evaluationPlan: ({ pad }, _current, context) => [{ kind: "cut", at: placeOf(context), pad }],
});

export const centerWindow = defineAugment({
  name: "center_window",
  summary: "Cuts out the middle, of the input's length.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: { pad },
  random: false,
  plan: ({ pad }, _current, context) => [{ kind: "cut", at: placeOf(context), pad }],
});
