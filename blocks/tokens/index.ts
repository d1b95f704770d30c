/** The tokenisers, sorted by name. */

import { columns } from "./columns.js";
import { embedding } from "./embedding.js";
import { patch } from "./patch.js";

export { defineTokens, type Tokens, type TokensContext } from "./contract.js";
export { columns, embedding, patch };

export const tokens = [columns, embedding, patch] as const;
