/** The augments, sorted by name. */

import type { Augment } from "./contract.js";

export * from "./contract.js";

export const augments: readonly Augment[] = [];
