/** Pixels as target: raw, or normalised patch by patch; of all times of an input, or of some. */

import type { ModelContext, Requirement } from "../block.js";
import { takeTimes } from "../nn/index.js";
import { madeOf } from "../sources.js";
import { defineTarget, type TargetContext } from "./contract.js";
import { moreThanOneValue, normalizeParam, patchLength, patchPicture, patchPixels, patchValues } from "./patches.js";
import { patchesOfAll, pictureOfAll, someTimes, timesParam, wholeTimes } from "./times.js";

/** What of the input is predicted. */
const predicted = (times: number | null, context: TargetContext): TargetContext =>
  times === null ? context : someTimes(times, context).fewer;

const params = { normalize: normalizeParam, times: timesParam, of: madeOf };

const requires: readonly Requirement<typeof params, ModelContext>[] = [
  wholeTimes,
  {
    ...moreThanOneValue,
    holds: (p, context) =>
      !wholeTimes.holds(p, context) || moreThanOneValue.holds(p, { ...context, ...predicted(p.times, context) }),
  },
];

export const pixels = defineTarget({
  name: "pixels",
  summary: "The pixels of each patch, raw or normalised by the patch's own mean and deviation.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params,
  requires,
  outputs: (p, context) => patchLength(p, predicted(p.times, context)),
  build(code, { normalize, times }, { array }, context) {
    if (times === null) return patchValues(code, normalize, array, context.grid);
    const { fewer, taken } = someTimes(times, context);
    return patchValues(code, normalize, code.let("taken", takeTimes, array, taken), fewer.grid);
  },
  pixels(code, { normalize, times }, prediction, { array }, context) {
    if (times === null) return patchPixels(code, normalize, prediction, array, context.grid);
    const some = someTimes(times, context);
    const taken = code.let("taken", takeTimes, array, some.taken);
    return patchesOfAll(code, patchPixels(code, normalize, prediction, taken, some.fewer.grid), some, context);
  },
  picture({ normalize, times }, context) {
    if (times === null) return patchPicture(normalize, context);
    const some = someTimes(times, context);
    return pictureOfAll(patchPicture(normalize, some.fewer), some);
  },
});
