/** A part of the input's size a few pixels off a corner, by which CMAE makes two views of one crop. */

import { DataError } from "../dataset/index.js";
import { int } from "../params.js";
import { defineAugment } from "./contract.js";
import { sizeText } from "./place.js";

export const pixelShift = defineAugment({
  name: "pixel_shift",
  summary: "Cuts out a part of the input's size whose upper left corner is a random few pixels off that of the image.",
  source: "Huang et al., Contrastive Masked Autoencoders are Stronger Vision Learners (CMAE), TPAMI 2024, section 3.3",
  since: "0.2",
  params: { most: int({ min: 0, max: 4096, doc: "Pixels down, and pixels right, that it is off at most." }) },
  positional: "most",
  random: true,
  plan({ most }, current, { image: { height, width } }, random) {
    if (current.height < height + most || current.width < width + most) {
      throw new DataError(
        `Parts of ${sizeText({ height, width })} pixels, up to ${most} off the corner, do not lie in an image of ${sizeText(current)}`,
        `Write \`random_resized_crop(size: ${height + most}x${width + most})\` before pixel_shift, or shift less.`,
      );
    }
    return [{ kind: "crop", top: random.integer(most + 1), left: random.integer(most + 1), height, width }];
  },
});
