/** Text to syntax tree and back. Knows no block's name. */
export type * from "./ast.js";
export { type Comment, endsLine } from "./comment.js";
export { type Diagnostic, type Fix, keep, mostFindings, type Severity } from "./diagnostic.js";
export { type Formatted, format } from "./format.js";
export { editDistance, nearestWord } from "./nearest-word.js";
export { outline } from "./outline.js";
export { type Parsed, parse } from "./parse.js";
export { commentsOf, spelledOut } from "./scan.js";
export { cover, isWithin, lineText, type Position, positionAt, type Source, type Span } from "./source.js";
export { type Token, tokensOf } from "./token-list.js";
