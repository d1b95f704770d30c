/** The masks, sorted by name. */

import { random } from "./random.js";

export { defineMask, type Mask, visibleTokens } from "./contract.js";

export const masks = [random] as const;
