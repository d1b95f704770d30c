/** What editors ask for: completion, hover, definitions, renames, an outline and the like, and the language server that answers them. */

export * from "./browser.js";
export { definition } from "./definition.js";
export { type Fold, folds } from "./fold.js";
export { importPathAt, importPaths } from "./import-paths.js";
export { isKeyword } from "./keywords.js";
export { type OutlineItem, outlineItems } from "./outline.js";
export { type Refusal, type Renamable, type Renaming, renamable, rename } from "./rename.js";
export { type ServerOptions, serve } from "./server.js";
export { type Findings, longestText, type Workspace } from "./session.js";
export { type Signature, signature } from "./signature.js";
