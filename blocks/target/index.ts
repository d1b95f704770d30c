/** The targets, sorted by name. */

import { pixels } from "./pixels.js";

export { defineTarget, type Target, type TargetContext } from "./contract.js";
export { pixels };

export const targets = [pixels] as const;
