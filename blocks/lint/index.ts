/** The lints, one row each, by what they are about. */

import { architectureLints } from "./architecture.js";
import type { Lint } from "./contract.js";
import { dataLints } from "./data.js";
import { fineTuningLints } from "./fine-tuning.js";
import { objectiveLints } from "./objective.js";
import { optimizationLints } from "./optimization.js";
import { sampleLints } from "./samples.js";

export type { DataFacts, Lint, LintCategory, LintLine, LintRecipe, Place, Remark } from "./contract.js";

export const lints: readonly Lint[] = [
  ...architectureLints,
  ...objectiveLints,
  ...optimizationLints,
  ...fineTuningLints,
  ...sampleLints,
  ...dataLints,
];
