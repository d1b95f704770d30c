/** Which places are filled as target: an input of zeros and ones, of which logits are predicted. */

import type { Picture } from "../program.js";
import { madeOf } from "../sources.js";
import { defineTarget, type TargetContext } from "./contract.js";
import { patchLength, patchPicture, patchValues } from "./patches.js";

/** Logits as chances, from 0 to 1. */
function chancesPicture(context: TargetContext): Picture {
  const { pixels, inGraph } = patchPicture("none", context);
  return {
    curved: true,
    chances: true,
    pixels: (prediction, seen) =>
      pixels(
        prediction.map((logit) => 1 / (1 + Math.exp(-logit))),
        seen,
      ),
    ...(inGraph ? { inGraph: (g, prediction, seen) => inGraph(g, g.sigmoid(prediction), seen) } : {}),
  };
}

export const occupancy = defineTarget({
  name: "occupancy",
  summary: "Which places are filled: the input is 1 there and 0 elsewhere, and what is predicted are logits.",
  source:
    "Xie et al., Pix2Vox: Context-aware 3D Reconstruction from Single and Multi-view Images, ICCV 2019, of volumes",
  since: "0.2",
  params: { of: madeOf },
  requires: [],
  logits: "each",
  outputs: patchLength,
  build: (code, _, { array }, { grid }) => patchValues(code, "none", array, grid),
  picture: (_, context) => chancesPicture(context),
});
