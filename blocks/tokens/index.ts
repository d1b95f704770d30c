/** The tokenisers, sorted by name. */

import { patch } from "./patch.js";

export { defineTokens, type Tokens, type TokensContext } from "./contract.js";
export { patch };

export const tokens = [patch] as const;
