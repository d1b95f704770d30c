/** The tokenisers, sorted by name. */

import { embedding } from "./embedding.js";
import { patch } from "./patch.js";

export { defineTokens, type Tokens, type TokensContext } from "./contract.js";
export { embedding, patch };

export const tokens = [embedding, patch] as const;
