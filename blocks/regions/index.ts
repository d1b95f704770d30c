/** The sources of regions, sorted by name. */

import { felzenszwalb } from "./felzenszwalb.js";
import { labelMaps } from "./label-maps.js";

export { type Choice, regionMaps } from "./choose.js";
export { defineRegionSource, type LabelMap, type RegionSample, type RegionSource } from "./contract.js";
export { felzenszwalb, labelMaps };

export const regionSources = [felzenszwalb, labelMaps] as const;
