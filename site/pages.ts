/** The pages of the site: the repository's own in Markdown, those that are generated, and one for each example and folder. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, posix } from "node:path";
import { generatedPages } from "./generated.js";
import { written } from "./markdown.js";
import type { Section } from "./shell.js";

export interface Page {
  /** Where its Markdown stands, or would. */
  readonly path: string;
  /** Its path in the site. */
  readonly file: string;
  readonly title: string;
  readonly html: string;
  readonly anchors: ReadonlySet<string>;
  /** Where it leads in the site, with what names a section there. */
  readonly links: readonly { readonly file: string; readonly anchor: string }[];
}

export interface Pages {
  readonly pages: readonly Page[];
  /** Files that pages lead to, and that are copied as they are. */
  readonly assets: ReadonlySet<string>;
}

const below = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => posix.join(folder, path.replaceAll("\\", "/")))
    .sort();

const isMarkdown = (path: string): boolean => path.endsWith(".md");

export const fileOf = (path: string): string =>
  basename(path) === "README.md" ? posix.join(posix.dirname(path), "index.html") : path.replace(/\.(md|mae)$/, ".html");

/** The specs that come with the package, by their names. */
export const examples = (): readonly string[] =>
  readdirSync("examples")
    .filter((name) => name.endsWith(".mae"))
    .sort();

const exampleText = (name: string): string =>
  `# ${name}\n\n[Open it in the playground](../play.html#${name})\n\n\`\`\`mae\n${readFileSync(`examples/${name}`, "utf8")}\`\`\`\n`;

const examplesText = (): string =>
  `# Examples\n\n${examples()
    .map((name) => `- [${name}](${name})`)
    .join("\n")}\n`;

/** A list of what a folder holds, for links that lead to it. */
const folderText = (folder: string): string =>
  `# ${folder}\n\n${readdirSync(folder)
    .sort()
    .map((name) => `- [${name}](${name})`)
    .join("\n")}\n`;

/** Where a link of a page leads in this repository; null: out of it. */
function target(path: string, href: string): { readonly path: string; readonly anchor: string } | null {
  if (/^[a-z]+:/.test(href)) return null;
  const [to = "", anchor = ""] = href.split("#");
  return { path: to === "" ? path : posix.normalize(posix.join(posix.dirname(path), to)), anchor };
}

export function readPages(): Pages {
  const texts = new Map<string, string>();
  const files = [...below("docs"), ...below("spec").filter((path) => !/^spec\/conformance\/.*\//.test(path))];
  for (const path of ["README.md", "CHANGELOG.md", "examples/own-block/README.md", ...files.filter(isMarkdown)]) {
    texts.set(path, readFileSync(path, "utf8"));
  }
  const findings = files
    .filter((path) => path.startsWith("spec/diagnostics/") && isMarkdown(path))
    .map((path) => path.slice("spec/diagnostics/".length, -".md".length));
  const sentence = (page: string): string =>
    texts.get(`spec/diagnostics/${page}.md`)?.split("\n\n")[1]?.replaceAll("\n", " ") ?? "";
  for (const [path, text] of generatedPages(findings, sentence)) texts.set(path, text);
  for (const name of examples()) texts.set(`examples/${name}`, exampleText(name));
  texts.set("examples/README.md", examplesText());

  const assets = new Set<string>();
  const pages: Page[] = [];
  for (const [path, text] of texts) {
    const links: Page["links"][number][] = [];
    const page = written(text, (href) => {
      const to = target(path, href);
      if (!to) return href;
      if (to.path === "play.html") return href;
      const isFolder = existsSync(to.path) && statSync(to.path).isDirectory();
      const wanted = isFolder ? posix.join(to.path, "README.md") : to.path;
      // A folder without a page gets one; Map's order lets this loop reach it.
      if (isFolder && !texts.has(wanted)) texts.set(wanted, folderText(to.path));
      if (!texts.has(wanted)) assets.add(wanted);
      const file = texts.has(wanted) ? fileOf(wanted) : wanted;
      links.push({ file, anchor: to.anchor });
      const between = posix.relative(posix.dirname(fileOf(path)), file);
      return to.anchor === "" ? between : `${between}#${to.anchor}`;
    });
    pages.push({ path, file: fileOf(path), title: page.title || path, html: page.html, anchors: page.anchors, links });
  }
  return { pages, assets };
}

/** What leads nowhere: `docs/x.md leads to y.md#z`. */
export function brokenLinks({ pages, assets }: Pages): readonly string[] {
  const known = new Map(pages.map((page) => [page.file, page]));
  return pages.flatMap(({ path, links }) =>
    links
      .filter(({ file, anchor }) => {
        const page = known.get(file);
        return page ? anchor !== "" && !page.anchors.has(anchor) : !(assets.has(file) && existsSync(file));
      })
      .map(({ file, anchor }) => `${path} leads to ${file}${anchor && `#${anchor}`}`),
  );
}

/** The sidebar. */
export function sections(pages: readonly Page[]): readonly Section[] {
  const of = (title: string, belongs: (path: string) => boolean): Section => ({
    title,
    pages: pages.filter(({ path }) => belongs(path)).map(({ title: name, file }) => ({ title: name, file })),
  });
  const start = of("Start", (path) => path === "README.md" || path === "CHANGELOG.md");
  return [
    { ...start, pages: [...start.pages, { title: "Playground", file: "play.html" }] },
    of("Guides", (path) => /^docs\/[^/]+\.md$/.test(path)),
    of("Methods", (path) => path.startsWith("docs/methods/")),
    of("Language", (path) => /^spec\/[^/]+\.md$/.test(path)),
    of("Lists", (path) => /^spec\/(?:blocks|diagnostics)\/[^/]+\.md$/.test(path)),
    of("Blocks one by one", (path) => /^spec\/blocks\/\w+\//.test(path)),
    of("Examples", (path) => path.startsWith("examples/")),
    of("Decisions", (path) => path.startsWith("docs/decisions/")),
  ];
}
