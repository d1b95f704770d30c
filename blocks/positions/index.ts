/** The position tables, sorted by name. */

import { coordinates } from "./coordinates.js";
import { learned } from "./learned.js";
import { rotary } from "./rotary.js";
import { separable } from "./separable.js";
import { sinCos } from "./sin-cos.js";

export { definePositions, type Positions, type PositionsContext } from "./contract.js";
export { coordinates, learned, rotary, separable, sinCos };

export const positions = [coordinates, learned, rotary, separable, sinCos] as const;
