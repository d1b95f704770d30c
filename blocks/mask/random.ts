/** Uniformly random masking, the mask of MAE. */

import { tokenCount } from "../geometry.js";
import { defineMask } from "./contract.js";
import { byRatio, hiddenRatio, someOfEach } from "./ratio.js";
import { isShared, sharing } from "./sharing.js";

export const random = defineMask({
  name: "random",
  summary: "Hides a uniformly random set of patches, drawn anew for each sample.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: {
    ratio: hiddenRatio,
    ...sharing,
  },
  requires: [someOfEach],
  ...byRatio,
  shared: isShared,
  sample(_, grid, random) {
    const noise = Float64Array.from({ length: tokenCount(grid) }, () => random.uniform());
    return Int32Array.from(noise.keys()).sort((a, b) => (noise[a] as number) - (noise[b] as number));
  },
});
