/** The teachers, sorted by name. */

import { ema } from "./ema.js";

export { defineTeacher, type Teacher } from "./contract.js";
export { ema };

export const teachers = [ema] as const;
