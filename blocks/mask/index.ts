/** The masks, sorted by name. */

import { block } from "./block.js";
import { grid } from "./grid.js";
import { hilbert } from "./hilbert.js";
import { peano } from "./peano.js";
import { random } from "./random.js";
import { spiral } from "./spiral.js";
import { zigzag } from "./zigzag.js";

export { defineMask, type Mask, visibleTokens } from "./contract.js";
export { block, grid, hilbert, peano, random, spiral, zigzag };

export const masks = [block, grid, hilbert, peano, random, spiral, zigzag] as const;
