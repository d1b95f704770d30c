/** The position tables, sorted by name. */

import { learned } from "./learned.js";
import { separable } from "./separable.js";
import { sinCos } from "./sin-cos.js";

export { definePositions, type Positions, type PositionsContext } from "./contract.js";
export { learned, separable, sinCos };

export const positions = [learned, separable, sinCos] as const;
