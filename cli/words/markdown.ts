/** Pages of the specification, which are Markdown, as text for a terminal: the Markdown that they use and no more. */

import type { Medium } from "../report/index.js";
import { displayWidth, wrapped } from "./text-width.js";

/** A paragraph, heading, list, table or fenced text: lines that follow each other without an empty one. */
type Block = readonly string[];

/** Comments and Markdown's own signs are left out; paragraphs and tables are set anew in the width. Ends without a line end. */
export function readable(markdown: string, medium: Medium): string {
  const text = markdown.replace(/<!--.*?-->\n*/gs, "");
  return blocksOf(text)
    .map((block) => set(block, medium).join("\n"))
    .join("\n\n");
}

function blocksOf(markdown: string): Block[] {
  const blocks: string[][] = [];
  let fenced = false;
  let apart = true;
  for (const line of markdown.trimEnd().split("\n")) {
    const fence = line.startsWith("```");
    const ends = !fenced && line === "";
    if (!ends && (apart || (fence && !fenced))) blocks.push([]);
    if (!ends) blocks.at(-1)?.push(line);
    if (fence) fenced = !fenced;
    apart = ends || (fence && !fenced);
  }
  return blocks;
}

function set(block: Block, medium: Medium): readonly string[] {
  const [first = ""] = block;
  if (first.startsWith("```"))
    return block.slice(1, -1).map((line) => (line === "" ? "" : medium.colors.cyan(`  ${line}`)));
  if (first.startsWith("# ")) return [medium.colors.bold(first.slice("# ".length))];
  if (first.startsWith("#")) return [medium.colors.bold(first.replace(/^#+ /, "").toUpperCase())];
  if (first.startsWith("|")) return table(block, medium);
  return itemsOf(block).flatMap(({ mark, text }) => paragraph(text, mark, medium));
}

/** The items of a list, each with its mark; a paragraph is one item without. Further lines belong to the one before. */
function itemsOf(block: Block): { readonly mark: string; readonly text: string }[] {
  const items: { mark: string; text: string }[] = [];
  for (const line of block) {
    const [, mark = "", text = ""] = /^((?:[-*]|\d+\.) )?(.*)$/.exec(line.trimStart()) ?? [];
    const last = items.at(-1);
    if (last && mark === "") last.text += ` ${text}`;
    else items.push({ mark, text });
  }
  return items;
}

/** Lines that hang below what stands in front of the first. */
function paragraph(text: string, front: string, { colors, width }: Medium): string[] {
  const hanging = " ".repeat(displayWidth(front));
  return wrapped(plain(text), width - hanging.length).map((line, i) => {
    const painted = line.replaceAll("\u00a0", " ").replace(/`[^`]+`/g, (code) => colors.cyan(code));
    return `${i === 0 ? front : hanging}${painted}`.trimEnd();
  });
}

/** Links as their text and, where they lead out of these pages, the address. What stands between back-ticks is kept on one line. */
const plain = (text: string): string =>
  text
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, words: string, to: string) => {
      const address = to.replace(/^\.\.\/\.\.\/([^#]+).*$/, "spec/$1");
      return address.startsWith("..") ? words : `${words} (${address})`;
    })
    .replace(/\*\*([^*]+)\*\*/g, "$1")
    .replace(/`[^`]+`/g, (code) => code.replaceAll(" ", "\u00a0"));

/** An entry for each row: of two cells a line, of more the first and below it the others, with the heads of their columns. */
function table([head = "", , ...rows]: Block, medium: Medium): string[] {
  const [, ...names] = cellsOf(head);
  const entries = rows.map(cellsOf);
  if (names.length === 1) {
    const widest = Math.max(...entries.map(([first = ""]) => displayWidth(first)));
    return entries.flatMap(([first = "", text = ""]) => hung(text, `  ${padded(first, widest)}  `, medium));
  }
  const widest = Math.max(...names.map((name) => name.length));
  return entries.flatMap(([first = "", ...cells], i) => [
    ...(i === 0 ? [] : [""]),
    medium.colors.bold(first.replaceAll("`", "")),
    ...cells.flatMap((cell, column) => hung(cell, `  ${padded(names[column] ?? "", widest)}  `, medium)),
  ]);
}

/** A cell behind its name; `<br>` begins a line. */
const hung = (cell: string, front: string, medium: Medium): string[] =>
  cell.split("<br>").flatMap((part, i) => paragraph(part, i === 0 ? front : " ".repeat(displayWidth(front)), medium));

const padded = (text: string, width: number): string => text + " ".repeat(width - displayWidth(text));

/** `\|` stands for the sign itself. */
const cellsOf = (row: string): string[] =>
  row
    .replaceAll("\\|", "\u0000")
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\u0000", "|"));
