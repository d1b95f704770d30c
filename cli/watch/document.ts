/** Pages that are whole in one file and load nothing: their frame, and tables in them. */

import { escaped } from "../words/html.js";
import { style } from "./style.js";

export interface Document {
  readonly title: string;
  /** What stands below the title. */
  readonly subtitle: string;
  /** Pieces of HTML, one after the other. */
  readonly parts: readonly string[];
  readonly script: string;
}

/** The page as HTML. Title and subtitle are text; parts and script are not. */
export const documentHtml = ({ title, subtitle, parts, script }: Document): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<title>${escaped(title)}</title>
<style>${style}</style>
<header><h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p></header>
<main>
${parts.join("\n")}
</main>
<script>${script.replaceAll("</script", "<\\/script")}</script>
</html>
`;

const row = (cells: readonly string[], cell: "td" | "th"): string =>
  `<tr>${cells.map((html) => `<${cell}>${html}</${cell}>`).join("")}</tr>`;

/** A table that may be wider than the page. The head is text, cells are HTML. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><thead>${row(head.map(escaped), "th")}</thead><tbody>${rows
    .map((cells) => row(cells, "td"))
    .join("\n")}</tbody></table></div>`;
