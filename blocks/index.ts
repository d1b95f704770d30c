/** The vocabulary: every block there is, by kind. */
export type { Definition, ModelContext, Requirement } from "./block.js";
