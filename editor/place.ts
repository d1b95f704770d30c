/** Where in a text a cursor stands: the word there, and what stands before it in each pair of brackets around it. */

import { endsLine, type File, parse, type Source, type Span, type Token, tokensOf } from "../grammar/index.js";
import { type Entry, type Group, type Node, nested } from "./nest.js";

/** The group, the entry in it that the cursor stands in, and the nodes of that entry before the cursor. */
export interface Step {
  readonly group: Group;
  readonly entry: Entry;
  readonly before: Entry;
}

export interface Place {
  /** The word at the cursor; empty where none stands. */
  readonly span: Span;
  /** From the whole text inwards; at least one. */
  readonly steps: readonly Step[];
  /** The syntax tree of the text, with a word at the cursor. */
  readonly file: File;
}

/** Stands in for the word that is about to be written, so that what is around it is read as it will be. */
const standIn = "mae_cursor";

/** The place of a cursor; null in comments, in quotes and in the middle of numbers. */
export function placeAt(source: Source, offset: number): Place | null {
  const { comments } = parse(source);
  const inComment = comments.some((comment) => {
    const { start, end } = comment.span;
    return start < offset && (offset < end || (offset === end && endsLine(comment)));
  });
  if (inComment) return null;
  const tokens = tokensOf(source);
  const word = tokens.find(({ kind, start, end }) => kind === "word" && start <= offset && offset <= end);
  if (word) return placeOf(tokens, word, { source, start: word.start, end: word.end }, source);
  if (tokens.some((token) => holds(token, offset))) return null;
  const text = `${source.text.slice(0, offset)} ${standIn} ${source.text.slice(offset)}`;
  const marked = { path: source.path, text };
  const all = tokensOf(marked);
  const here = all.find(({ kind, start }) => kind === "word" && start === offset + 1);
  return here ? placeOf(all, here, { source, start: offset, end: offset }, marked) : null;
}

/** Whether an offset lies in a token, where no word can begin. */
function holds({ kind, text, start, end }: Token, offset: number): boolean {
  const isOpen = kind === "other" || (kind === "text" && (text.length < 2 || !text.endsWith('"')));
  return start < offset && (offset < end || (isOpen && offset === end));
}

/** `read`: the text with a word at the cursor; its tree is asked for where names of the file matter. */
function placeOf(tokens: readonly Token[], word: Token, span: Span, read: Source): Place | null {
  const steps = stepsTo(nested(tokens), word);
  if (!steps) return null;
  return {
    span,
    steps,
    get file() {
      return parse(read).file;
    },
  };
}

function stepsTo(group: Group, word: Node): readonly Step[] | null {
  for (const entry of group.entries) {
    for (const [i, node] of entry.entries()) {
      const step = { group, entry, before: entry.slice(0, i) };
      if (node === word) return [step];
      const inner = node.kind === "group" ? stepsTo(node, word) : null;
      if (inner) return [step, ...inner];
    }
  }
  return null;
}
