/** The datasets, sorted by name. */

import type { Dataset } from "./contract.js";

export * from "./contract.js";

export const datasets: readonly Dataset[] = [];
