/** The losses, sorted by name. */

import { l1 } from "./l1.js";
import { mse } from "./mse.js";
import { smoothL1 } from "./smooth-l1.js";

export { defineLoss, type Loss, type LossInputs } from "./contract.js";
export { l1, mse, smoothL1 };

export const losses = [l1, mse, smoothL1] as const;
