/** The position tables, sorted by name. */

import { learned } from "./learned.js";
import { sinCos } from "./sin-cos.js";

export { definePositions, type Positions, type PositionsContext } from "./contract.js";
export { learned, sinCos };

export const positions = [learned, sinCos] as const;
