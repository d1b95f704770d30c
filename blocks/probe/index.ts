/** The probes, sorted by name. */

import { accuracy } from "./accuracy.js";
import { anomaly } from "./anomaly.js";
import { attentive } from "./attentive.js";
import { detection } from "./detection.js";
import { fewShot } from "./few-shot.js";
import { knn } from "./knn.js";
import { decay, labelPropagation } from "./label-propagation.js";
import { linear } from "./linear.js";
import { linearCrops } from "./linear-crops.js";
import { numberErrors } from "./number-errors.js";
import { partOverlap } from "./part-overlap.js";
import { placeErrors } from "./place-errors.js";
import { rank } from "./rank.js";
import { registration } from "./registration.js";
import { regression } from "./regression.js";
import { retrieval } from "./retrieval.js";
import { ridge } from "./ridge.js";
import { segmentation } from "./segmentation.js";
import { shapeOverlap } from "./shape-overlap.js";
import { surfaceDistance } from "./surface-distance.js";
import { svm } from "./svm.js";

export { areaShare, contourShare, type JudgedObject } from "./contours.js";
export {
  type AnomalyProbe,
  conditionName,
  defineAnomalyProbe,
  defineObjectProbe,
  definePairProbe,
  definePassProbe,
  definePlaceProbe,
  defineProbe,
  defineSequenceProbe,
  defineShapeProbe,
  defineValueProbe,
  type FeatureProbe,
  type Features,
  isAnomalyProbe,
  isObjectProbe,
  isPairProbe,
  isPassProbe,
  isPlaceProbe,
  isSequenceProbe,
  isShapeProbe,
  isValueProbe,
  judgedOutput,
  type Looks,
  missingOf,
  needsOneClass,
  needsTests,
  type ObjectProbe,
  type PairProbe,
  type Pairs,
  type Passes,
  type PassProbe,
  type PlaceProbe,
  type Probe,
  type ProbeResult,
  pause,
  probeName,
  type ScoredRecord,
  type SeenImage,
  type SequenceProbe,
  type ShapeProbe,
  sayingJudged,
  type ValueProbe,
  viewsOfProbe,
} from "./contract.js";
export { type JudgedPlaces, meanOf, overlapsOf, sharesOf } from "./overlaps.js";
export { Carrier, type GridSize, labelsAt, labelsResized, type Propagation } from "./propagation.js";
export { likeliestShape, type ShapeErrors, shapeErrors } from "./shapes.js";
export { type Sliding, slidingOf } from "./sliding.js";
export { surfaceDistances } from "./surfaces.js";
export { type ValueErrors, valueErrorsOf } from "./value-errors.js";
export {
  accuracy,
  anomaly,
  attentive,
  decay,
  detection,
  fewShot,
  knn,
  labelPropagation,
  linear,
  linearCrops,
  numberErrors,
  partOverlap,
  placeErrors,
  rank,
  registration,
  regression,
  retrieval,
  ridge,
  segmentation,
  shapeOverlap,
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
  labelPropagation,
  linear,
  linearCrops,
  numberErrors,
  partOverlap,
  placeErrors,
  rank,
  registration,
  regression,
  retrieval,
  ridge,
  segmentation,
  shapeOverlap,
  surfaceDistance,
  svm,
] as const;
