/** Images of one size and any number of channels. */

import { arrayOfImage } from "../arrays.js";
import { size } from "../params.js";
import { channels, defineInput } from "./contract.js";

export const image = defineInput({
  name: "image",
  summary: "Images of one size, height x width, with any number of channels.",
  source: "own definition",
  since: "0.1",
  params: {
    size: size({ doc: "Height x width in pixels; the two may differ." }),
    channels: channels({
      default: 3,
      doc: "Values of one pixel: 1 for grey, 3 for colour, more for spectral images.",
    }),
  },
  shape: ({ size: [height, width], channels }) => arrayOfImage({ height, width, channels }),
});
