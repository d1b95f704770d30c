/** The probes, sorted by name. */

import { accuracy } from "./accuracy.js";
import { attentive } from "./attentive.js";
import { fewShot } from "./few-shot.js";
import { knn } from "./knn.js";
import { linear } from "./linear.js";
import { linearCrops } from "./linear-crops.js";
import { rank } from "./rank.js";
import { ridge } from "./ridge.js";

export {
  definePassProbe,
  defineProbe,
  type FeatureProbe,
  type Features,
  isPassProbe,
  judgedOutput,
  type Passes,
  type PassProbe,
  type Probe,
  type ProbeResult,
  probeName,
} from "./contract.js";
export { accuracy, attentive, fewShot, knn, linear, linearCrops, rank, ridge };

export const probes = [accuracy, attentive, fewShot, knn, linear, linearCrops, rank, ridge] as const;
