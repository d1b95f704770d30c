/** Clips of equally many frames of one size. */

import { int, size } from "../params.js";
import { channels, defineInput } from "./contract.js";

export const video = defineInput({
  name: "video",
  summary: "Clips of one length: frames of one size, height x width, with any number of channels.",
  source: "own definition",
  since: "0.2",
  params: {
    frames: int({ min: 1, max: 65_536, doc: "Frames of a clip." }),
    size: size({ doc: "Height x width of a frame in pixels; the two may differ." }),
    channels: channels({ default: 3, doc: "Values of one pixel: 1 for grey, 3 for colour." }),
  },
  shape: ({ frames, size: [height, width], channels }) => ({
    axes: [
      { name: "time", size: frames },
      { name: "row", size: height },
      { name: "column", size: width },
    ],
    channels,
  }),
});
