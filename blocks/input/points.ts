/** Points in space: as scanners measure them, or drawn from the surfaces of meshes. */

import { int } from "../params.js";
import { defineInput } from "./contract.js";

export const points = defineInput({
  name: "points",
  summary: "Clouds of points in space, without an order: of surfaces, as many as are asked for are drawn.",
  source: "Qi et al., PointNet: Deep Learning on Point Sets, CVPR 2017, section 4",
  since: "0.2",
  numbers: "points",
  params: {
    count: int({
      min: 1,
      max: 65_536,
      doc: "Points of a cloud: of larger ones some are taken, and smaller ones are of no use.",
    }),
  },
  shape: ({ count }) => ({ axes: [{ name: "point", size: count }], channels: 3, cloud: { points: count } }),
});
