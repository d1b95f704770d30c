/** The points of a group as target, as seen from its centre. */

import { fromCentres, pointsInRow } from "../nn/index.js";
import { boxLength } from "../sets.js";
import { defineTarget } from "./contract.js";

export const neighbours = defineTarget({
  name: "neighbours",
  summary: "The points of each group, as seen from its centre.",
  source: "Pang et al., Masked Autoencoders for Point Cloud Self-supervised Learning, ECCV 2022, section 3.3",
  since: "0.2",
  params: {},
  requires: [
    {
      name: "groups-alone",
      at: null,
      doc: "Nothing stands behind the points of a group.",
      holds: (_, { array }) => array.cloud?.neighbours === undefined,
      say: () => "all points of the cloud stand behind the groups",
      help: () => "write `all_points: false` in the tokens: what is predicted are the groups",
    },
  ],
  predicts: "points",
  outputs: (_, { grid }) => boxLength(grid) * 3,
  build: (code, _, { array }) => code.let("target", pointsInRow, code.let("groups", fromCentres, array)),
  picture: (_, { grid }) => ({
    inSpace: true,
    pixels(prediction, seen) {
      const each = boxLength(grid) * 3;
      const centre = (at: number): number => seen[Math.floor(at / each) * each + (at % 3)] as number;
      return prediction.map((value, at) => value + centre(at));
    },
  }),
});
