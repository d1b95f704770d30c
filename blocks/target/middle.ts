/** The middle frame of each token as target, of tokens that hold several: the target of AED-MAE. */

import type { ModelContext, Requirement } from "../block.js";
import { takeTimes } from "../nn/index.js";
import { madeOf } from "../sources.js";
import { defineTarget } from "./contract.js";
import { moreThanOneValue, normalizeParam, patchLength, patchPicture, patchPixels, patchValues } from "./patches.js";
import { middleTimes, patchesOfAll, pictureOfAll } from "./times.js";

const params = { normalize: normalizeParam, of: madeOf };

const requires: readonly Requirement<typeof params, ModelContext>[] = [
  {
    name: "in-time",
    at: null,
    doc: "The input begins with time.",
    holds: (_, { grid: [time] }) => time?.name === "time",
    say: () => "the input does not begin with time",
    help: () => "use `pixels`, or an input such as `video`",
  },
  {
    ...moreThanOneValue,
    holds: (p, context) =>
      context.grid[0]?.name !== "time" || moreThanOneValue.holds(p, { ...context, ...middleTimes(context).fewer }),
  },
];

export const middle = defineTarget({
  name: "middle",
  summary: "The pixels of each token at the middle one of its times.",
  source: "Ristea et al., Self-Distilled Masked Auto-Encoders are Efficient Video Anomaly Detectors, CVPR 2024",
  since: "0.2",
  params,
  requires,
  outputs: (p, context) => patchLength(p, middleTimes(context).fewer),
  build(code, { normalize }, { array }, context) {
    const { fewer, taken } = middleTimes(context);
    return patchValues(code, normalize, code.let("middle", takeTimes, array, taken), fewer.grid);
  },
  pixels(code, { normalize }, prediction, { array }, context) {
    const some = middleTimes(context);
    const taken = code.let("middle", takeTimes, array, some.taken);
    return patchesOfAll(code, patchPixels(code, normalize, prediction, taken, some.fewer.grid), some, context);
  },
  picture({ normalize }, context) {
    const some = middleTimes(context);
    return pictureOfAll(patchPicture(normalize, some.fewer), some);
  },
});
