/** The emitted module in colours. Loaded when it is first looked at: it brings emission, a formatter and a parser. */

import { typescriptLanguage } from "@codemirror/lang-javascript";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { emitModule } from "../../compiler/emit/index.js";
import type { Model } from "../../compiler/index.js";
import { escaped } from "../mae-text.js";

export async function codeHtml(model: Model, version: string): Promise<string> {
  const text = await emitModule(model, version);
  let html = "";
  highlightCode(
    text,
    typescriptLanguage.parser.parse(text),
    classHighlighter,
    (piece, classes) => {
      html += classes === "" ? escaped(piece) : `<span class="${classes}">${escaped(piece)}</span>`;
    },
    () => {
      html += "\n";
    },
  );
  return `<pre class="code"><code>${html}</code></pre>`;
}
