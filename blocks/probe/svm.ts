/** Linear support vector machines on frozen features, one for each class against all others. */

import { type Random, shuffled } from "../../graph/index.js";
import { real } from "../params.js";
import { type Classifier, classScores } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { worthOf } from "./measures.js";

/** Passes over the samples, at most, and the slope of the dual below which it is solved. */
const mostPasses = 2000;
const flat = 1e-5;

export const svm = defineProbe({
  name: "svm",
  summary: "A linear support vector machine for each class against all others, on the features as they are.",
  source:
    "Hsieh et al., A Dual Coordinate Descent Method for Large-scale Linear SVM, ICML 2008; scikit-learn's LinearSVC",
  since: "0.2",
  params: {
    c: real({ min: 0, openMin: true, default: 1, doc: "How much samples within the margin cost." }),
  },
  positional: "c",
  async run(p, train, test, random, tick) {
    const { classifier, passes } = await fitSvm(train, p.c, random, tick);
    const all = passes < mostPasses ? `at most ${passes} passes for a class` : `stopped after ${mostPasses} passes`;
    return {
      scores: worthOf(classScores(classifier, test), test, "each class"),
      protocol:
        `linear support vector machines with squared hinge, C ${p.c}, each of ${train.classes} classes against all others, features as they are, ` +
        `intercept penalised: ${all} over ${train.count} training samples; ${test.count} test samples, no augmentation`,
    };
  },
});

/** The machines of all classes. `passes`: the most that one of them took. */
export async function fitSvm(
  train: Features,
  c: number,
  random: Random,
  tick?: (done: number, total: number) => void,
): Promise<{ readonly classifier: Classifier; readonly passes: number }> {
  const { width, classes } = train;
  const [weight, bias] = [new Float64Array(classes * width), new Float64Array(classes)];
  let most = 0;
  for (let k = 0; k < classes; k++) {
    const { plane, passes } = await separate(train, k, c, random);
    weight.set(plane.subarray(0, width), k * width);
    bias[k] = plane[width] as number;
    most = Math.max(most, passes);
    tick?.(k + 1, classes);
  }
  return { classifier: { weight, bias }, passes: most };
}

/**
 * The plane [width + 1], intercept last, that least |plane|^2 / 2 + c (sum of squared distances within the margin): by its dual, one sample
 * after the other in random order.
 */
async function separate({ values, labels, count, width }: Features, k: number, c: number, random: Random) {
  const plane = new Float64Array(width + 1);
  const shares = new Float64Array(count);
  const ridge = 1 / (2 * c);
  const lengths = Float64Array.from({ length: count }, (_, i) => {
    let sum = 1 + ridge;
    for (let j = i * width; j < (i + 1) * width; j++) sum += (values[j] as number) ** 2;
    return sum;
  });
  for (let pass = 1; ; pass++) {
    let steepest = 0;
    for (const i of shuffled(count, random)) {
      const side = labels[i] === k ? 1 : -1;
      const share = shares[i] as number;
      let along = plane[width] as number;
      for (let j = 0, at = i * width; j < width; j++, at++) along += (plane[j] as number) * (values[at] as number);
      const slope = side * along - 1 + ridge * share;
      steepest = Math.max(steepest, share === 0 ? -slope : Math.abs(slope));
      const next = Math.max(0, share - slope / (lengths[i] as number));
      if (next === share) continue;
      const by = (next - share) * side;
      shares[i] = next;
      for (let j = 0, at = i * width; j < width; j++, at++)
        plane[j] = (plane[j] as number) + by * (values[at] as number);
      plane[width] = (plane[width] as number) + by;
    }
    if (pass % 16 === 0) await pause();
    if (steepest < flat || pass === mostPasses) return { plane, passes: pass };
  }
}
