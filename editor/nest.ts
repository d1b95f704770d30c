/** The balanced tokens of a text as nested groups: what stands in which brackets, entry by entry. */

import type { Token } from "../grammar/index.js";

/** What a pair of brackets holds. */
export interface Group {
  readonly kind: "group";
  /** "": the whole text. */
  readonly opener: "" | "{" | "(" | "[";
  /** Between commas or line ends. */
  readonly entries: readonly Entry[];
}

export type Node = Token | Group;

export type Entry = readonly Node[];

interface Open {
  readonly opener: Group["opener"];
  /** What ends an entry. */
  readonly separator: "," | "";
  readonly entries: Entry[];
  entry: Node[];
}

const opening = (text: string): text is "{" | "(" | "[" => text === "{" || text === "(" || text === "[";
const closing = (text: string): boolean => text === "}" || text === ")" || text === "]";

const open = (opener: Group["opener"], separator: Open["separator"]): Open => ({
  opener,
  separator,
  entries: [],
  entry: [],
});

function endEntry(frame: Open): void {
  frame.entries.push(frame.entry);
  frame.entry = [];
}

/** The whole text as a group. */
export function nested(tokens: readonly Token[]): Group {
  const stack = [open("", "")];
  const top = (): Open => stack.at(-1) as Open;
  const close = (): void => {
    const { opener, entries, entry } = stack.pop() as Open;
    top().entry.push({ kind: "group", opener, entries: [...entries, entry] });
  };
  for (const token of tokens) {
    const isSign = token.kind === "sign";
    if (isSign && opening(token.text)) {
      const ofImport = isWord(top().entry[0], "import");
      stack.push(open(token.text, token.text === "{" && !ofImport ? "" : ","));
    } else if (isSign && closing(token.text) && stack.length > 1) close();
    else if (token.kind === "lineEnd" ? top().separator === "" : isSign && token.text === top().separator) {
      endEntry(top());
    } else if (token.kind !== "lineEnd") top().entry.push(token);
  }
  while (stack.length > 1) close();
  endEntry(top());
  return { kind: "group", opener: "", entries: top().entries };
}

/** Whether a node is a word, or this one. */
export const isWord = (node: Node | undefined, text?: string): node is Token =>
  node?.kind === "word" && (text === undefined || node.text === text);

export const isSign = (node: Node | undefined, text: string): node is Token =>
  node?.kind === "sign" && node.text === text;

/** The word that follows another; null where there is none. */
export function wordAfter(entry: Entry, text: string): string | null {
  const next = entry[entry.findIndex((node) => isWord(node, text)) + 1];
  return entry.some((node) => isWord(node, text)) && isWord(next) ? next.text : null;
}

/** What stands after the last of some nodes; all of it where there is none. */
export const afterLast = (entry: Entry, is: (node: Node) => boolean): Entry => entry.slice(entry.findLastIndex(is) + 1);

/** A line of a body without `add` or `replace`. */
export const withoutVerb = (entry: Entry): Entry =>
  isWord(entry[0], "add") || isWord(entry[0], "replace") ? entry.slice(1) : entry;

/** The words of a path, without its dots. */
export const wordsOf = (path: Entry): readonly string[] => path.flatMap((node) => (isWord(node) ? [node.text] : []));

/** Whether nodes are the beginning of a path that the cursor stands in. */
export const isPathSoFar = (nodes: Entry): boolean =>
  nodes.every((node, i) => (i % 2 === 0 ? isWord(node) : isSign(node, "."))) && nodes.length % 2 === 0;

/** The words behind a file and a dot, `"runs/mae".encoder`; null: the nodes are none, or the cursor stands behind them. */
export function pathInFile([file, dot, ...path]: Entry): readonly string[] | null {
  return file?.kind === "text" && isSign(dot, ".") && isPathSoFar(path) ? wordsOf(path) : null;
}
