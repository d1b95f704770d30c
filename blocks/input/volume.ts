/** Volumes of one size, such as scans of a body. */

import { optional, reals, sides } from "../params.js";
import { channels, defineInput } from "./contract.js";

export const volume = defineInput({
  name: "volume",
  summary: "Volumes of one size, depth x height x width, with any number of channels.",
  source: "own definition",
  since: "0.2",
  params: {
    size: sides({ count: 3, doc: "Depth x height x width in voxels." }),
    channels: channels({
      default: 1,
      doc: "Values of one voxel: 1 for one kind of scan, more for several of the same body.",
    }),
    spacing: optional(
      reals({
        length: 3,
        min: 0.001,
        max: 1000,
        doc: "Millimetres from a voxel to the next: depth, row, column, where files say what they have; if absent, any.",
      }),
    ),
  },
  shape: ({ size: [depth, height, width], channels, spacing }) => ({
    axes: [
      { name: "depth", size: depth as number },
      { name: "row", size: height as number },
      { name: "column", size: width as number },
    ],
    channels,
    ...(spacing === null ? {} : { spacing: spacing as unknown as readonly [number, number, number] }),
  }),
});
