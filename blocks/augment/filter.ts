/** The resampling filters, as every augmentation that resizes declares them. */

import { choice } from "../params.js";

export const filter = choice({
  default: "bicubic",
  options: {
    bicubic: "Smooth and sharp; the filter of MAE.",
    bilinear: "Smooth.",
    nearest: "Copies pixels; for label maps and pixel art.",
  },
  doc: "How pixels are resampled.",
});
