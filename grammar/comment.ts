/** Comments: they are no part of the tree, but the formatter keeps them and `///` lines document what follows. */

import type { Span } from "./source.js";

export interface Comment {
  /** `// ...`, `/// ...`, or a comment between slash-star and star-slash. */
  readonly kind: "line" | "doc" | "block";
  /** As written, with its slashes. */
  readonly text: string;
  readonly span: Span;
  /** Nothing but space stands before it on its line. */
  readonly ownLine: boolean;
}

/** True of a comment after which nothing can stand on its line. */
export function endsLine(comment: Comment): boolean {
  return comment.kind !== "block" || comment.text.length < 4 || !comment.text.endsWith("*/");
}

/** The sentences of `///` lines, joined by newlines: one space after the slashes belongs to them. */
export function docText(lines: readonly Comment[]): string {
  return lines.map((line) => line.text.replace(/^\/\/\/ ?/, "").trimEnd()).join("\n");
}
