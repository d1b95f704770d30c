/** Positions learned with the other weights, as in the original ViT. */

import { learnedPositions } from "../nn/index.js";
import { countsOf } from "../sets.js";
import { definePositions } from "./contract.js";

export const learned = definePositions({
  name: "learned",
  summary: "One trained vector for each place, started from a normal distribution with deviation 0.02.",
  source: "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, section 3.1",
  since: "0.1",
  params: {},
  table: (_, { grid, extra, width }) => learnedPositions({ counts: countsOf(grid), extra, width }),
});
