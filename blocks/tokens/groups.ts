/** Groups of points, each mapped to a token by a small PointNet, as in Point-MAE. */

import type { ArrayShape } from "../arrays.js";
import { fromCentres, groupCentres, pointNet, pointNetParameters } from "../nn/index.js";
import { int, type ValuesOf } from "../params.js";
import { defineTokens } from "./contract.js";

const params = {
  count: int({ min: 2, max: 65_536, doc: "Groups of a cloud: one around each of so many points that lie far apart." }),
  neighbours: int({ min: 2, max: 4096, doc: "Points of a group: its centre and those that are nearest to it." }),
  inner: int({
    min: 1,
    max: 4096,
    default: 128,
    doc: "Features of a point in the first layer of the network; the next ones have twice and four times as many.",
  }),
};

/** Groups side by side: what enters the model. */
const grouped = ({ count, neighbours }: ValuesOf<typeof params>, array: ArrayShape): ArrayShape => ({
  ...array,
  axes: [
    { name: "group", size: count },
    { name: "point", size: neighbours },
  ],
});

export const groups = defineTokens({
  name: "groups",
  summary: "Groups a cloud around points that lie far apart, and maps each group to a token by a small PointNet.",
  source: "Pang et al., Masked Autoencoders for Point Cloud Self-supervised Learning, ECCV 2022, section 3.1",
  since: "0.2",
  numbers: "points",
  params,
  requires: [
    {
      name: "enough-points",
      at: "count",
      doc: "A cloud has as many points as there are centres, and as a group has.",
      holds: (p, { array }) => Math.max(p.count, p.neighbours) <= (array.cloud?.points ?? Number.POSITIVE_INFINITY),
      say: (p, { array }) =>
        `${Math.max(p.count, p.neighbours)} different points are needed for ${p.count > p.neighbours ? "the centres" : "a group"}, and a cloud has ${array.cloud?.points}`,
      help: (_, { array }) => `write at most ${array.cloud?.points} for each, or more points in the model's input`,
    },
  ],
  grid: ({ count, neighbours }) => [
    { name: "group", count, size: 1 },
    { name: "point", count: 1, size: neighbours },
  ],
  parameters: ({ inner }, { width }) => ({ point_embed: pointNetParameters({ inner, width }) }),
  embed(code, _, w, array) {
    const groups = code.let("groups", fromCentres, array); // [B, N, K, 3]
    return code.let("tokens", pointNet, groups, w.point_embed);
  },
  cloud: {
    array: grouped,
    centres: (code, _, array) => code.let("centres", groupCentres, array),
  },
});
