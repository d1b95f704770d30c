/**
 * Every lint by its row: its page in `spec/diagnostics/lint/` says what the row says, the page's first example gets the finding and the
 * second gets none at all. `UPDATE=1 npx vitest run test/blocks/lint.test.ts` writes the pages.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Lint, lints, registry } from "../../blocks/index.js";
import { analyze, lintData } from "../../compiler/index.js";
import type { Diagnostic } from "../../grammar/index.js";
import { maeText } from "../support/model.js";

const folder = join(import.meta.dirname, "../../spec/diagnostics");

const usual = `${maeText}
recipe Pretrain for Mae {
  data      folder("data/train", test: "data/val")
  augment   random_resized_crop(scale: 20%..100%), horizontal_flip, normalize(imagenet)
  batch     4096
  epochs    800
  optimizer adamw(lr: 1.5e-4 per 256, betas: (0.9, 0.95), weight_decay: 0.05)
  schedule  cosine(warmup: 40 epochs)
  evaluate  knn every 100 epochs
}
`;

/** The usual text, of which some lines are written otherwise. */
function written({ model: isOfModel }: Lint, changes: Readonly<Record<string, string>>): string {
  let text = isOfModel ? maeText : usual;
  for (const [instead, write] of Object.entries(changes)) {
    expect(text).toContain(instead);
    text = text.replace(instead, write);
  }
  return text;
}

const examplesOf = (lint: Lint) =>
  [lint.example.write, lint.example.mended ?? {}].map((changes) => written(lint, changes)) as [string, string];

/** Words on lines of at most 125 characters. */
function wrapped(words: string): string {
  const lines: string[] = [""];
  for (const word of words.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= 125) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

function pageOf(lint: Lint): string {
  const [failing, mended] = examplesOf(lint);
  const after = failing === mended ? [] : ["Write instead:", `\`\`\`mae\n${mended}\`\`\``];
  return `${[
    `# ${lint.code}`,
    wrapped(lint.title),
    `\`\`\`mae\n${failing}\`\`\``,
    ...after,
    wrapped(`${lint.reason} ${lint.more}`),
    `Category: ${lint.category}. Severity: ${lint.severity}, unless \`mae.config.json\` says otherwise.`,
    wrapped(`Source: ${lint.source}.`),
  ].join("\n\n")}\n`;
}

/** Findings of a text; `data`: what is known of the data of its recipe. */
function check(text: string, data?: Lint["example"]["data"]): readonly Diagnostic[] {
  const analysis = analyze({ path: "main.mae", text }, { readText: () => null }, registry);
  const recipe = analysis.recipes.get("Pretrain");
  const ofData = data && recipe ? lintData(recipe, analysis.models, data) : [];
  return [...analysis.diagnostics, ...ofData];
}

test("there are at least thirty lints, each with a code of its own", () => {
  expect(lints.length).toBeGreaterThanOrEqual(30);
  expect(new Set(lints.map(({ code }) => code)).size).toBe(lints.length);
});

const examples = join(import.meta.dirname, "../../examples");

test.each(readdirSync(examples).filter((name) => name.endsWith(".mae")))(
  "%s, a published or a shipped recipe, is clean",
  (name) => {
    const text = readFileSync(join(examples, name), "utf8");
    const host = { readText: (path: string) => readFileSync(join(examples, path), "utf8") };
    expect(analyze({ path: name, text }, host, registry).diagnostics).toEqual([]);
  },
);

describe.each(lints)("$code", (lint) => {
  const path = join(folder, `${lint.code}.md`);
  const [failing, mended] = examplesOf(lint);
  const { data } = lint.example;

  test("has the page of its row", () => {
    const page = pageOf(lint);
    if (process.env.UPDATE) writeFileSync(path, page);
    expect(readFileSync(path, "utf8")).toBe(page);
  });

  test("is found in the first example alone, and only where it looks at the data", () => {
    const found = check(failing, data).filter(({ code }) => code === lint.code);
    expect(found.map(({ severity, reason }) => [severity, reason])).toEqual([[lint.severity, lint.reason]]);
    expect(found[0]?.help).not.toBe("");
    expect(check(mended, data && { samples: 60_000, testSamples: 10_000, classes: 10 })).toEqual([]);
    if (data) expect(check(failing).map(({ code }) => code)).not.toContain(lint.code);
  });

  test("finds nothing else in its example", () => {
    expect(new Set(check(failing, data).map(({ code }) => code))).toEqual(new Set([lint.code]));
  });

  if (lint.recipe) {
    test("is found beside a mistake elsewhere, and not where what it judges by is broken", () => {
      const beside = check(failing.replace("evaluate ", 'seed      "x"\n  evaluate '));
      expect(beside.map(({ code }) => code).sort()).toEqual(["check/wrong-type", lint.code]);
      const broken = failing
        .replace(
          /(image|folder|npy|cosine|step|constant|adamw|sgd|knn|normalize|random_resized_crop)\(.*/g,
          "broken($&",
        )
        .replace(/(batch|epochs|steps|evaluate|clip|average) .*/g, '$1 "x"');
      expect(check(broken).map(({ code }) => code)).not.toContain(lint.code);
    });
  }
});
