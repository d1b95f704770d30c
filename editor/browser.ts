/** What editors ask for without a server: the door for pages in a browser. Needs nothing of Node. */

export { type Completion, complete } from "./complete.js";
export { type Attempt, type Hint, hints } from "./hints.js";
export { type Hover, hover } from "./hover.js";
export type { Surroundings } from "./scene.js";
export { type SemanticToken, semanticTokens, type TokenKind } from "./semantic.js";
