/** The schedules, sorted by name. */

import type { Schedule } from "./contract.js";

export * from "./contract.js";

export const schedules: readonly Schedule[] = [];
