/** What editors ask for: completion, hover, definitions, an outline, and the language server that answers them. */

export { type Completion, complete } from "./complete.js";
export { definition } from "./definition.js";
export { type Hover, hover } from "./hover.js";
export { type OutlineItem, outlineItems } from "./outline.js";
export type { Surroundings } from "./scene.js";
export { longestText, type ServerOptions, serve, type Workspace } from "./server.js";
