/** The inputs, sorted by name. */

import { image } from "./image.js";

export { defineInput, type Input } from "./contract.js";
export { image };

export const inputs = [image] as const;
