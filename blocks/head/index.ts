/** The heads, sorted by name. */

import { classifier } from "./classifier.js";

export { defineHead, type Head, type HeadContext, type HeadInputs, labelField } from "./contract.js";
export { classifier };

export const heads = [classifier] as const;
