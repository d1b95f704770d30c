/** Markdown of this repository as HTML: headings with the names that GitHub gives them, specs in colours, links through a function. */

import { Marked, type Tokens } from "marked";
import { escaped, maeHtml } from "./mae-text.js";

export interface Written {
  readonly html: string;
  /** Of the first heading, as text. */
  readonly title: string;
  /** Names that a link can lead to within the page. */
  readonly anchors: ReadonlySet<string>;
}

/** The name that GitHub gives a heading. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

const plain = (html: string): string =>
  html
    .replace(/<[^>]+>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

/** @param linked where a link or a picture leads, by what the text says */
export function written(markdown: string, linked: (href: string) => string): Written {
  const anchors = new Set<string>();
  let title = "";
  const marked = new Marked({
    walkTokens(token) {
      if (token.type === "link" || token.type === "image") token.href = linked(token.href);
    },
    renderer: {
      // Words of a spec may come here from anybody: of HTML, only what our own tables have is let through.
      html({ text }: Tokens.HTML | Tokens.Tag) {
        return text === "<br>" ? text : escaped(text.replace(/<!--[\s\S]*?-->/g, ""));
      },
      heading({ tokens, depth }: Tokens.Heading) {
        const inner = this.parser.parseInline(tokens);
        const name = slug(plain(inner));
        let own = name;
        for (let i = 1; anchors.has(own); i++) own = `${name}-${i}`;
        anchors.add(own);
        title ||= plain(inner);
        const link = depth === 1 ? "" : `<a class="anchor" href="#${own}" aria-label="this section">#</a>`;
        return `<h${depth} id="${own}">${inner}${link}</h${depth}>\n`;
      },
      code({ text, lang }: Tokens.Code) {
        return `<pre class="code"><code>${lang === "mae" ? maeHtml(text) : escaped(text)}</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const cells = (row: readonly Tokens.TableCell[], tag: "td" | "th") =>
          row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("");
        const rows = token.rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
        const head = `<thead><tr>${cells(token.header, "th")}</tr></thead>`;
        return `<div class="wide"><table>${head}\n<tbody>${rows}</tbody></table></div>\n`;
      },
    },
  });
  return { html: marked.parse(markdown, { async: false }), title, anchors };
}
