/** The optimizers, sorted by name. */

import { adamw } from "./adamw.js";
import { sgd } from "./sgd.js";

export { defineOptimizer, type Optimizer, type UpdateInputs } from "./contract.js";
export { adamw, sgd };

export const optimizers = [adamw, sgd] as const;
