/** The position tables, sorted by name. */

import { coordinates } from "./coordinates.js";
import { learned } from "./learned.js";
import { separable } from "./separable.js";
import { sinCos } from "./sin-cos.js";

export { definePositions, type Positions, type PositionsContext } from "./contract.js";
export { coordinates, learned, separable, sinCos };

export const positions = [coordinates, learned, separable, sinCos] as const;
