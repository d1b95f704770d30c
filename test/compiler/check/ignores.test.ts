/** `// mae-ignore`: what it hides, and what is said of one that is not needed, not explained or not understood. */

import { expect, test } from "vitest";
import { lints, registry } from "../../../blocks/index.js";
import { analyze, lintData, withIgnores } from "../../../compiler/index.js";

const spec = (mask: string, batch = "batch 4096"): string => `edition 2026

model Mae {
  input   image(size: 224x224, channels: 3)
  tokens  patch(size: 16x16)
${mask}
  encoder vit(depth: 12, width: 768, heads: 12)
  decoder vit(depth: 8, width: 512, heads: 16)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}

recipe Pretrain for Mae {
  data      folder("data/train")
  augment   normalize(imagenet)
${batch}
  epochs    800
  optimizer adamw(lr: 1.5e-4 per 256)
  schedule  cosine(warmup: 40 epochs)
}
`;

const checked = (text: string) => analyze({ path: "main.mae", text }, { readText: () => null }, registry);
const codesOf = (text: string): readonly string[] => checked(text).diagnostics.map(({ code }) => code);

const few = "  mask random(ratio: 98%)";

test.each<[string, readonly string[]]>([
  [`  // mae-ignore lint/extreme-ratio: a baseline\n${few}`, []],
  [`  // mae-ignore lint/extreme-ratio: a baseline\n\n  // of our study\n${few}`, []],
  [`${few} // mae-ignore lint/extreme-ratio: a baseline`, []],
  [`  // mae-ignore lint/little-hidden, lint/extreme-ratio: a baseline\n${few}`, ["lint/unused-ignore"]],
  [`${few}\n  // mae-ignore lint/extreme-ratio: a baseline`, ["lint/extreme-ratio", "lint/unused-ignore"]],
  [`${few} // mae-ignore lint/extreme-ratio`, ["lint/unexplained-ignore"]],
  [`${few} // mae-ignore lint/extreme-ratio:  `, ["lint/unexplained-ignore"]],
  [`${few} // mae-ignore`, ["lint/extreme-ratio", "lint/unexplained-ignore"]],
  [`${few} // mae-ignore lint/extreme-ration: a baseline`, ["lint/extreme-ratio", "lint/unknown-ignore"]],
  ["  mask ramdom // mae-ignore check/unknown-block: no", ["check/unknown-block", "lint/unknown-ignore"]],
  // What is broken hides advice that may come back.
  ["  // mae-ignore lint/extreme-ratio: a baseline\n  mask random(ratio: 198%)", ["check/out-of-range"]],
  // Whether weights are there is a matter of the machine.
  ["  mask random // mae-ignore lint/missing-weights: they are put there later", []],
  // A doc comment is none of the kind that is read.
  [`  /// mae-ignore lint/extreme-ratio: a baseline\n${few}`, ["lint/extreme-ratio"]],
])("%s", (mask, codes) => {
  expect(codesOf(spec(mask)).toSorted()).toEqual(codes);
});

test("a fix takes an idle comment away and leaves the line", () => {
  const text = spec("  mask random(ratio: 75%) // mae-ignore lint/extreme-ratio: a baseline");
  const [finding] = checked(text).diagnostics;
  const [edit] = finding?.fix?.edits ?? [];
  expect(edit && text.slice(edit.span.start, edit.span.end)).toBe("// mae-ignore lint/extreme-ratio: a baseline");
});

test("an ignore of what the data tells is judged where the data is looked at", () => {
  const text = spec("  mask random", "  // mae-ignore lint/batch-above-data: a toy\n  batch 4096");
  const analysis = checked(text);
  expect(analysis.diagnostics).toEqual([]);
  const recipe = analysis.recipes.get("Pretrain");
  const looked = (samples: number) => {
    const found = recipe ? lintData(recipe, analysis.models, { samples, testSamples: null, classes: 0 }) : [];
    return withIgnores(analysis.file.source, found, "data").map(({ code }) => code);
  };
  expect([looked(5000), looked(500_000)]).toEqual([[], ["lint/unused-ignore"]]);
});

test("no lint has a name that a comment cannot write", () => {
  for (const { code } of lints) expect(code).toMatch(/^lint\/[a-z-]+$/);
});
