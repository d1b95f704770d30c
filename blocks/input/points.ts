/** Points in space: as scanners measure them, or drawn from the surfaces of meshes. */

import { flag, int, optional } from "../params.js";
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
      doc: "Points of a cloud: of larger ones some are taken, and smaller ones are refused, or repeated.",
    }),
    repeat: flag({
      default: false,
      doc: "Whether points of smaller clouds are taken several times, until there are as many.",
    }),
    classes: optional(
      int({
        min: 2,
        max: 1000,
        doc: "Classes of the data, where the model is told that of each cloud, as a head of parts may be; if absent, it is not.",
      }),
    ),
  },
  shape: ({ count, repeat, classes }) => ({
    axes: [{ name: "point", size: count }],
    channels: classes === null ? 3 : 4,
    cloud: { points: count, ...(repeat ? { repeats: true } : {}), ...(classes === null ? {} : { classes }) },
  }),
});
