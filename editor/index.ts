/** What editors ask for: completion, hover, definitions, symbols, and the language server that answers them. */

export { type Completion, complete } from "./complete.js";
export type { Surroundings } from "./scene.js";
