/** The targets, sorted by name. */

import { classMaps } from "./class-maps.js";
import { codes } from "./codes.js";
import { columns } from "./columns.js";
import { faces } from "./faces.js";
import { features } from "./features.js";
import { givenFeatures } from "./given-features.js";
import { hog } from "./hog.js";
import { ids } from "./ids.js";
import { imitation } from "./imitation.js";
import { lowPass } from "./low-pass.js";
import { middle } from "./middle.js";
import { neighbours } from "./neighbours.js";
import { occupancy } from "./occupancy.js";
import { pixels } from "./pixels.js";
import { regions } from "./regions.js";
import { vertices } from "./vertices.js";

export {
  defineTarget,
  type Target,
  type TargetContext,
  type TargetInputs,
  type TargetTokensContext,
  type TargetTokensInputs,
} from "./contract.js";
export {
  classMaps,
  codes,
  columns,
  faces,
  features,
  givenFeatures,
  hog,
  ids,
  imitation,
  lowPass,
  middle,
  neighbours,
  occupancy,
  pixels,
  regions,
  vertices,
};

export const targets = [
  classMaps,
  codes,
  columns,
  faces,
  features,
  givenFeatures,
  hog,
  ids,
  imitation,
  lowPass,
  middle,
  neighbours,
  occupancy,
  pixels,
  regions,
  vertices,
] as const;
