/** The frame of every page: head, sidebar, and the switch between light and dark. */

import { posix } from "node:path";
import { escaped } from "./mae-text.js";

/** A heading of the sidebar with the pages under it. */
export interface Section {
  readonly title: string;
  readonly pages: readonly { readonly title: string; readonly file: string }[];
}

export interface Framed {
  /** The page's path in the site. */
  readonly file: string;
  readonly title: string;
  /** HTML of its main part. */
  readonly main: string;
  /** Paths of scripts and style sheets that only this page needs. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
  /** Whether the sidebar stays folded, as it does on small screens. */
  readonly isWide?: boolean;
}

/** How a page names another file of the site. */
export const pathBetween = (from: string, to: string): string => posix.relative(posix.dirname(from), to) || ".";

export function framed(
  { file, title, main, scripts = [], styles = [], isWide = false }: Framed,
  sections: readonly Section[],
): string {
  const to = (path: string): string => escaped(pathBetween(file, path));
  const nav = sections
    .map((section) => {
      const isOpen = section.pages.some((page) => page.file === file);
      const links = section.pages
        .map((page) => {
          const current = page.file === file ? ' aria-current="page"' : "";
          return `<li><a href="${to(page.file)}"${current}>${escaped(page.title)}</a></li>`;
        })
        .join("");
      return `<details${isOpen ? " open" : ""}><summary>${escaped(section.title)}</summary><ul>${links}</ul></details>`;
    })
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · Maelang</title>
<link rel="icon" href="${to("icon.svg")}">
${["style.css", ...styles].map((path) => `<link rel="stylesheet" href="${to(path)}">`).join("\n")}
<script src="${to("page.js")}"></script>
${scripts.map((path) => `<script type="module" src="${to(path)}"></script>`).join("\n")}
</head>
<body${isWide ? ' class="is-wide"' : ""}>
<header>
<button type="button" class="menu" aria-label="pages" aria-expanded="false">☰</button>
<a class="home" href="${to("index.html")}">Maelang</a>
<a href="${to("play.html")}">Playground</a>
<a class="more" href="${to("spec/index.html")}">Language</a>
<a class="more" href="${to("spec/blocks/index.html")}">Blocks</a>
<button type="button" class="theme" aria-label="light or dark">◐</button>
</header>
<nav aria-label="pages">
${nav}
</nav>
<main>
${main}
</main>
</body>
</html>
`;
}
