/** Pages of the specification on a terminal. */

import fc from "fast-check";
import picocolors from "picocolors";
import { expect, it } from "vitest";
import { readable } from "../../cli/words/markdown.js";
import { listPages, readPage } from "../../cli/words/pages.js";
import { displayWidth, wrapped } from "../../cli/words/text-width.js";

const colors = picocolors.createColors(false);
const set = (markdown: string, width = 40): string => readable(markdown, { colors, width });

it("sets paragraphs and lists anew, in the width", () => {
  expect(
    set(
      "# mask/rows\n\nHides whole rows of patches,\nso that **none** of a row is seen.\n\n## Meaning\n\n- one\n  more\n- two\n",
    ),
  ).toBe(
    `mask/rows

Hides whole rows of patches, so that
none of a row is seen.

MEANING

- one more
- two`,
  );
});

it("keeps fenced text as it is, with empty lines and signs of Markdown, and leaves comments out", () => {
  expect(set("<!-- made -->\n\n```mae\nedition 2026\n\n# no heading | no table\n```\n<!-- /made -->\n")).toBe(
    "  edition 2026\n\n  # no heading | no table",
  );
});

it("makes an entry of each row of a table", () => {
  const table =
    "| parameter | takes | default |\n| --- | --- | --- |\n| `on` | `a`\\|`b`<br>or none | `a` |\n| `k` | number | |";
  expect(set(table)).toBe(`on
  takes    \`a\`|\`b\`
           or none
  default  \`a\`

k
  takes    number
  default`);
  expect(set("| name | what |\n| --- | --- |\n| `a` | one of the first words of all the words |\n| `bc` | two |")).toBe(
    "  `a`   one of the first words of all\n        the words\n  `bc`  two",
  );
});

it("says where links lead, out of the pages", () => {
  expect(
    set("[Weights](../../04-model.md#masks), [`tokens/patch`](../tokens/patch.md), [ONNX](https://onnx.ai)", 99),
  ).toBe("Weights (spec/04-model.md), `tokens/patch`, ONNX (https://onnx.ai)");
});

const pages = (["diagnostics", "blocks"] as const).flatMap((shelf) =>
  listPages(shelf).map((name) => readPage(shelf, name)?.text ?? ""),
);

it("leaves no sign of Markdown in any page, and no line that is too wide", () => {
  expect(pages.length).toBeGreaterThan(100);
  for (const page of pages) {
    const text = set(page, 60).split("\n");
    const words = text.filter((line) => !line.startsWith("  "));
    for (const line of words) expect(line).not.toMatch(/<!--|<br>|^\||^```|^#|\]\(/);
    for (const line of words.filter((one) => one.includes(" ")))
      expect(displayWidth(line), line).toBeLessThanOrEqual(80);
  }
});

it("wraps any words into the width, and loses none", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 }).filter((word) => !word.includes(" "))),
      fc.nat(50),
      (words, width) => {
        const lines = wrapped(words.join(" "), width);
        expect(lines.join(" ")).toBe(words.join(" "));
        for (const line of lines) expect(!line.includes(" ") || displayWidth(line) <= width).toBe(true);
      },
    ),
  );
});
