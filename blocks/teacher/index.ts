/** The teachers, sorted by name. */

import type { Teacher } from "./contract.js";

export { defineTeacher, type Teacher } from "./contract.js";

export const teachers: readonly Teacher[] = [];
