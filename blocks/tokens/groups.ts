/** Groups of points, each mapped to a token by a small PointNet, as in Point-MAE. */

import type { Tensor } from "../../graph/index.js";
import type { ArrayShape } from "../arrays.js";
import type { Code } from "../code.js";
import { fromCentres, groupCentres, groupsIn, pointNet, pointNetParameters } from "../nn/index.js";
import { flag, int, type ValuesOf } from "../params.js";
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
  all_points: flag({
    default: false,
    doc: "Whether all points of the cloud enter the model behind the groups, where a head says something of each.",
  }),
};

/** Groups side by side: what enters the model. */
function grouped({ count, neighbours, all_points }: ValuesOf<typeof params>, array: ArrayShape): ArrayShape {
  const { cloud } = array;
  const behind =
    all_points && cloud ? { points: Math.floor(cloud.points / count), cloud: { ...cloud, neighbours } } : null;
  return {
    ...array,
    axes: [
      { name: "group", size: count },
      { name: "point", size: neighbours + (behind?.points ?? 0) },
    ],
    ...(behind && { cloud: behind.cloud }),
  };
}

/** The groups in what enters a model. */
export const groupsOf = (
  code: Code,
  { neighbours, all_points }: { readonly neighbours: number; readonly all_points: boolean },
  array: Tensor,
): Tensor => (all_points ? code.let("cloud_groups", groupsIn, array, { neighbours }) : array);

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
    {
      name: "points-behind-groups",
      at: "all_points",
      doc: "Behind each group stand as many of all points.",
      holds: (p, { array }) => !p.all_points || (array.cloud?.points ?? 0) % p.count === 0,
      say: (p, { array }) => `${array.cloud?.points} points are not as many behind each of ${p.count} groups`,
      help: (p, { array }) =>
        `write a count of points that ${p.count} divides, such as \`points(count: ${p.count * Math.max(1, Math.round((array.cloud?.points ?? 0) / p.count))})\``,
    },
    {
      name: "class-beside-all-points",
      at: "all_points",
      doc: "Clouds that bear their class enter with all points, for a head that reads it.",
      holds: (p, { array }) => p.all_points || array.cloud?.classes === undefined,
      say: () => "the input is told the class of each cloud, and nothing but a head of parts reads it",
      help: () => "write `all_points: true`, or remove `classes` of the input",
    },
  ],
  grid: (p, array) => [
    { name: "group", count: p.count, size: 1 },
    { name: "point", count: 1, size: grouped(p, array).axes[1]?.size as number },
  ],
  parameters: ({ inner }, { width }) => ({ point_embed: pointNetParameters({ inner, width }) }),
  embed(code, p, w, array) {
    const groups = code.let("groups", fromCentres, groupsOf(code, p, array)); // [B, N, K, 3]
    return code.let("tokens", pointNet, groups, w.point_embed);
  },
  cloud: {
    array: grouped,
    centres: (code, p, array) => code.let("centres", groupCentres, groupsOf(code, p, array)),
  },
});
