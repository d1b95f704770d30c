/** The sources of regions, sorted by name. */

import { felzenszwalb } from "./felzenszwalb.js";

export { type Choice, regionMaps } from "./choose.js";
export { defineRegionSource, type LabelMap, type RegionSample, type RegionSource } from "./contract.js";
export { felzenszwalb };

export const regionSources = [felzenszwalb] as const;
