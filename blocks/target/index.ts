/** The targets, sorted by name. */

import { hog } from "./hog.js";
import { lowPass } from "./low-pass.js";
import { pixels } from "./pixels.js";

export {
  defineTarget,
  type Target,
  type TargetContext,
  type TargetInputs,
  type TargetTokensContext,
  type TargetTokensInputs,
} from "./contract.js";
export { hog, lowPass, pixels };

export const targets = [hog, lowPass, pixels] as const;
