/** The pages of `spec/`, which ship with the package: what `mae explain` prints and what SARIF carries as help. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";

/** `diagnostics`: by code; `blocks`: by `kind/name`. */
export type Shelf = "diagnostics" | "blocks";

export interface Page {
  readonly name: string;
  /** The first heading, without the name where it opens with it. */
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** Words joined by `/`: nothing else can be the name of a page, and nothing else leads out of the folder. */
const nameShape = /^[a-z0-9_-]+(\/[a-z0-9_-]+)*$/;

const folderOf = (shelf: Shelf): string => join(packageRoot(), "spec", shelf);

/** The page, or null where there is none of that name. */
export function readPage(shelf: Shelf, name: string): Page | null {
  if (!nameShape.test(name)) return null;
  const path = join(folderOf(shelf), `${name}.md`);
  if (!existsSync(path)) return null;
  const text = readFileSync(path, "utf8");
  return { name, title: titleOf(name, text), text };
}

/** The page of a finding's code. A block's own conditions, `<kind>/<block>/<condition>`, are explained on its page. */
export const pageOf = (code: string): Page | null =>
  readPage("diagnostics", code) ?? readPage("blocks", code.split("/").slice(0, 2).join("/"));

/** Names of all pages, sorted. */
export function listPages(shelf: Shelf): string[] {
  const folder = folderOf(shelf);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".md") && !path.toLowerCase().endsWith("readme.md"))
    .map((path) => path.slice(0, -".md".length))
    .sort();
}

function titleOf(name: string, text: string): string {
  const heading = /^#\s+(.+)$/m.exec(text)?.[1]?.replaceAll("`", "").trim() ?? name;
  const rest = heading.startsWith(name) ? heading.slice(name.length).replace(/^[\s:,.\u2013\u2014-]+/, "") : heading;
  return rest || firstSentence(text) || name;
}

/** The first sentence of the first paragraph. */
function firstSentence(text: string): string {
  const paragraph = text
    .replace(/^```.*?^```/gms, "")
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .find((block) => block !== "" && !/^[#|>-]/.test(block));
  return paragraph?.replace(/\s+/g, " ").match(/^.*?[.!?](?=\s|$)/)?.[0] ?? paragraph?.replace(/\s+/g, " ") ?? "";
}
