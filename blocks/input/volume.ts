/** Volumes of one size, such as scans of a body. */

import { sides } from "../params.js";
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
  },
  shape: ({ size: [depth, height, width], channels }) => ({
    axes: [
      { name: "depth", size: depth as number },
      { name: "row", size: height as number },
      { name: "column", size: width as number },
    ],
    channels,
  }),
});
