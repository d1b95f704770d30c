/** The optimizers, sorted by name. */

import { adamw } from "./adamw.js";
import { lars } from "./lars.js";
import { lion } from "./lion.js";
import { sgd } from "./sgd.js";

export { defineOptimizer, type Optimizer, type UpdateInputs } from "./contract.js";
export { adamw, lars, lion, sgd };

export const optimizers = [adamw, lars, lion, sgd] as const;
