/** The probes, sorted by name. */

import { accuracy } from "./accuracy.js";
import { anomaly } from "./anomaly.js";
import { attentive } from "./attentive.js";
import { detection } from "./detection.js";
import { fewShot } from "./few-shot.js";
import { knn } from "./knn.js";
import { linear } from "./linear.js";
import { linearCrops } from "./linear-crops.js";
import { placeErrors } from "./place-errors.js";
import { rank } from "./rank.js";
import { registration } from "./registration.js";
import { regression } from "./regression.js";
import { retrieval } from "./retrieval.js";
import { ridge } from "./ridge.js";
import { segmentation } from "./segmentation.js";
import { surfaceDistance } from "./surface-distance.js";
import { svm } from "./svm.js";

export {
  type AnomalyProbe,
  conditionName,
  defineAnomalyProbe,
  defineObjectProbe,
  definePairProbe,
  definePassProbe,
  definePlaceProbe,
  defineProbe,
  defineValueProbe,
  type FeatureProbe,
  type Features,
  isAnomalyProbe,
  isObjectProbe,
  isPairProbe,
  isPassProbe,
  isPlaceProbe,
  isValueProbe,
  type JudgedPlaces,
  judgedOutput,
  type Looks,
  missingOf,
  needsOneClass,
  type ObjectProbe,
  type PairProbe,
  type Pairs,
  type Passes,
  type PassProbe,
  type PlaceProbe,
  type Probe,
  type ProbeResult,
  probeName,
  type ScoredRecord,
  type SeenImage,
  sayingJudged,
  type ValueProbe,
  viewsOfProbe,
} from "./contract.js";
export { meanOf, overlapsOf, sharesOf } from "./overlaps.js";
export { surfaceDistances } from "./surfaces.js";
export { type ValueErrors, valueErrorsOf } from "./value-errors.js";
export {
  accuracy,
  anomaly,
  attentive,
  detection,
  fewShot,
  knn,
  linear,
  linearCrops,
  placeErrors,
  rank,
  registration,
  regression,
  retrieval,
  ridge,
  segmentation,
  surfaceDistance,
  svm,
};

export const probes = [
  accuracy,
  anomaly,
  attentive,
  detection,
  fewShot,
  knn,
  linear,
  linearCrops,
  placeErrors,
  rank,
  registration,
  regression,
  retrieval,
  ridge,
  segmentation,
  surfaceDistance,
  svm,
] as const;
