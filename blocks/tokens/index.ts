/** The tokenisers, sorted by name. */

import { codes } from "./codes.js";
import { columns } from "./columns.js";
import { embedding } from "./embedding.js";
import { faces } from "./faces.js";
import { groups } from "./groups.js";
import { multiScale } from "./multi-scale.js";
import { patch } from "./patch.js";

export { defineTokens, type Tokens, type TokensContext } from "./contract.js";
export { codes, columns, embedding, faces, groups, multiScale, patch };

export const tokens = [codes, columns, embedding, faces, groups, multiScale, patch] as const;
