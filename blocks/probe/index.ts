/** The probes, sorted by name. */

import { accuracy } from "./accuracy.js";
import { knn } from "./knn.js";
import { linear } from "./linear.js";
import { rank } from "./rank.js";
import { ridge } from "./ridge.js";

export { defineProbe, type Features, type Probe, type ProbeResult } from "./contract.js";
export { accuracy, knn, linear, rank, ridge };

export const probes = [accuracy, knn, linear, rank, ridge] as const;
