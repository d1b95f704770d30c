/** The optimizers, sorted by name. */

import type { Optimizer } from "./contract.js";

export * from "./contract.js";

export const optimizers: readonly Optimizer[] = [];
