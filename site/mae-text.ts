/** A text in the language as HTML, with the colours that editors give it. */

import { registry } from "../blocks/index.js";
import { semanticTokens } from "../editor/browser.js";
import { parse } from "../grammar/index.js";

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign] as string);

/** The inside of a `<pre>`. Never throws, whatever the text. */
export function maeHtml(text: string): string {
  const source = { path: "text.mae", text };
  const around = { registry, imported: () => null, home: () => null };
  let html = "";
  let at = 0;
  for (const { kind, span } of semanticTokens(source, { ...around, file: parse(source).file })) {
    html += `${escaped(text.slice(at, span.start))}<span class="mae-${kind}">${escaped(text.slice(span.start, span.end))}</span>`;
    at = span.end;
  }
  return html + escaped(text.slice(at));
}
