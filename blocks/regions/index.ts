/** The sources of regions, and what is made of their label maps. */

import { felzenszwalb } from "./felzenszwalb.js";
import { labelMaps } from "./label-maps.js";

export { type BoundSource, boundSource, sourceParam } from "./bound-source.js";
export { type Choice, regionMaps } from "./choose.js";
export {
  defineRegionSource,
  type LabelMap,
  ofPictures,
  type RegionSample,
  type RegionSource,
} from "./contract.js";
export { patchLabels } from "./patch-labels.js";
export { felzenszwalb, labelMaps };

/** Sorted by name. */
export const regionSources = [felzenszwalb, labelMaps] as const;
