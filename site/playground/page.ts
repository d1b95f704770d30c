/** The playground's page, before its script runs. */

import type { Framed } from "../shell.js";

export const playground: Framed = {
  file: "play.html",
  title: "Playground",
  isWide: true,
  styles: ["play.css"],
  scripts: ["play/play.js"],
  main: `<div class="playground">
<section class="writing">
<div class="bar"><label>Start from <select id="example"></select></label><span id="verdict" role="status">…</span></div>
<div id="editor"></div>
<ol id="findings" aria-label="findings"></ol>
</section>
<section class="reading">
<div class="bar"><label>Show <select id="subject"></select></label></div>
<div role="tablist" class="tabs">
<button role="tab" data-view="plan" aria-selected="true">Plan</button>
<button role="tab" data-view="model" aria-selected="false">Whole model</button>
<button role="tab" data-view="mask" aria-selected="false">Mask</button>
<button role="tab" data-view="code" aria-selected="false">TypeScript</button>
</div>
<div id="view" role="tabpanel"></div>
</section>
</div>
<noscript><p>The playground runs the compiler in this page, and needs JavaScript for that.</p></noscript>`,
};
