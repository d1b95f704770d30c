/** How often a head's classes are right: no probe of features, but of the model itself. */

import { defineProbe } from "./contract.js";
import { measures, severalMeasures } from "./measures.js";

export const accuracy = defineProbe({
  name: "accuracy",
  summary:
    "How often the model's own head is right, first and among the first five, class by class, and how sure it is.",
  source:
    "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 4; calibration: Guo et al., On Calibration of Modern Neural Networks, ICML 2017",
  since: "0.1",
  params: {},
  requires: [
    {
      name: "head",
      at: null,
      doc: "The model has a head, whose classes can be right or wrong.",
      holds: (_, { says }) => says === "classes",
      say: () => "the model has no head that names classes",
      help: () => "judge its features by another probe, or add a `head` to the model",
    },
  ],
  sees: "predictions",
  several: true,
  run: async (_, __, test) => ({
    ...(test.several
      ? severalMeasures(Float64Array.from(test.values), test.several, test.classes, test.width)
      : measures(Float64Array.from(test.values), test.labels, test.width)),
    protocol: `the head's classes of ${test.count} test samples, no augmentation${test.several ? "; each class by itself, named where its logit is above 0" : ""}`,
  }),
});
