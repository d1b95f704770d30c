/** One ball of a cloud hidden: the tokens nearest to a random one. */

import { liesInSpace } from "../arrays.js";
import { centresIn, nearestCentres } from "../clouds.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { visibleFirst } from "./order.js";
import { byRatio, hiding, someOfEach, visibleByRatio } from "./ratio.js";

export const ball = defineMask({
  name: "ball",
  summary: "Hides a random token of a cloud and those whose centres are nearest to its own.",
  source: "Pang et al., Masked Autoencoders for Point Cloud Self-supervised Learning, ECCV 2022, section 4.3",
  since: "0.2",
  params: hiding,
  requires: [
    {
      name: "of-clouds",
      at: null,
      doc: "The tokens lie in space.",
      holds: (_, { array }) => liesInSpace(array),
      say: (_, { array }) =>
        `it hides what is near in space, and the tokens are of ${array.axes.map(({ name }) => name).join(", ")}`,
      help: () => "use another mask, such as `block`",
    },
    someOfEach,
  ],
  ...byRatio,
  field: (_, { array, grid }) => ({
    shape: [tokenCount(grid), 3],
    dtype: "float32",
    compute: ({ array: values }) => centresIn(array, values, grid),
  }),
  sample(p, grid, random, field, visible = visibleByRatio(p, grid)) {
    const tokens = tokenCount(grid);
    // Without a cloud at hand the tokens lie anywhere.
    const centres = field
      ? Float32Array.from(field)
      : Float32Array.from({ length: tokens * 3 }, () => random.uniform());
    const hidden = new Uint8Array(tokens);
    for (const token of nearestCentres(centres, random.integer(tokens)).subarray(0, tokens - visible))
      hidden[token] = 1;
    return visibleFirst(hidden);
  },
});
