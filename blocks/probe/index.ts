/** The probes there are. */

import { accuracy } from "./accuracy.js";
import type { Probe } from "./contract.js";
import { knn } from "./knn.js";
import { linear } from "./linear.js";
import { rank } from "./rank.js";
import { ridge } from "./ridge.js";

export type { Features, Probe, ProbeResult } from "./contract.js";
export { defineProbe } from "./contract.js";
export { accuracy, knn, linear, rank, ridge };

export const probes = [accuracy, knn, linear, rank, ridge] as const satisfies readonly Probe[];
