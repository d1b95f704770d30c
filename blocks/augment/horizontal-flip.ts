/** Left and right exchanged. */

import { defineFlip } from "./flip.js";

export const horizontalFlip = defineFlip("horizontal", {
  name: "horizontal_flip",
  summary: "Mirrors a random share of the samples left to right.",
});
