/** Uniformly random masking, the mask of MAE. */

import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { withDials } from "./dials.js";
import { byRatio, hiding, someOfEach } from "./ratio.js";

export const random = defineMask(
  withDials({
    name: "random",
    summary: "Hides a uniformly random set of patches, drawn anew for each sample.",
    source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
    since: "0.1",
    params: hiding,
    requires: [someOfEach],
    ...byRatio,
    sample(_, grid, random) {
      const noise = Float64Array.from({ length: tokenCount(grid) }, () => random.uniform());
      return Int32Array.from(noise.keys()).sort((a, b) => (noise[a] as number) - (noise[b] as number));
    },
  }),
);
