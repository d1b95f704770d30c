/** Learned positions in two tables, as in MAE-ST: what says when a token is, and what says where. */

import { sizeOf } from "../../graph/index.js";
import { separatePositions } from "../nn/index.js";
import { axesText, countsOf } from "../sets.js";
import { definePositions } from "./contract.js";

export const separable = definePositions({
  name: "separable",
  summary: "Trained vectors for each time, and for each place at any time; a token has the sum of its two.",
  source: "Feichtenhofer et al., Masked Autoencoders As Spatiotemporal Learners, NeurIPS 2022, section 3",
  since: "0.2",
  params: {},
  requires: [
    {
      name: "time-and-places",
      at: null,
      doc: "The first axis of the tokens is time, and there are others.",
      holds: (_, { grid }) => grid[0]?.name === "time" && grid.length > 1,
      say: (_, { grid }) => `times are told from places, and the tokens have ${axesText(grid)}`,
      help: () => "use `positions learned`, or an input whose first axis is time, such as `video`",
    },
  ],
  table(_, { grid, extra, width }) {
    const [times, ...others] = countsOf(grid) as [number, ...number[]];
    return separatePositions({ times, places: sizeOf(others), extra, width });
  },
});
