/** Top and bottom exchanged. */

import { defineFlip } from "./flip.js";

export const verticalFlip = defineFlip("vertical", {
  name: "vertical_flip",
  summary: "Mirrors a random share of the samples top to bottom.",
});
