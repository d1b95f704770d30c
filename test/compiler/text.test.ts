/** Models of text: what only fits texts and what only fits amounts are told apart, wherever the two meet. */

import { expect, test } from "vitest";
import { emitModule } from "../../compiler/emit/index.js";
import { analyzed, modelOf } from "../support/model.js";

const lines: Readonly<Record<string, string>> = {
  input: "text(length: 16, vocabulary: 50, mask: 4)",
  tokens: "embedding",
  positions: "learned",
  mask: "corrupt(ratio: 15%)",
  encoder: "bert(depth: 1, width: 8, heads: 2)",
  decoder: "vocabulary",
  target: "ids",
  loss: "id_cross_entropy",
};

const found = (changed: Readonly<Record<string, string>>): readonly string[] => {
  const slots = Object.entries({ ...lines, ...changed }).map(([slot, block]) => `  ${slot} ${block}`);
  const { diagnostics } = analyzed(`edition 2026\nmodel Text {\n${slots.join("\n")}\n}\n`);
  return diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
};

test("a model of text has no findings", () => expect(found({})).toEqual([]));

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  [
    "patches of a text",
    { tokens: "patch(size: 16x16)" },
    /side-for-each-axis: a patch of 16x16 has 2 sides, and the input 1 axes/,
  ],
  [
    "an embedding of an image",
    { input: "image(size: 8x8)" },
    /unreadable-source: the tokens `embedding` reads the input `image`/,
  ],
  [
    "a mask whose hidden tokens do not pass",
    { mask: "random(ratio: 15%, hidden: drop)" },
    /unreadable-source: the decoder `vocabulary` reads what the encoder gives for every token/,
  ],
  [
    "a decoder that reads on behind the end",
    { mask: "random(ratio: 50%)", decoder: "queries(depth: 1, width: 8, heads: 2)" },
    /unreadable-source: the decoder `queries` attends to tokens of a text, and does not know where it ends/,
  ],
  ["a loss of patches by a decoder of numbers", { decoder: "linear", loss: "mse" }, /`mse` compares numbers, and ids/],
  ["pixels of a text", { target: "pixels" }, /unreadable-source: the target `pixels` reads the tokens `embedding`/],
  ["an error of numbers", { loss: "mse" }, /loss-of-another-kind: `mse` compares numbers, and ids are predicted/],
  ["a mask beyond the vocabulary", { input: "text(length: 16, vocabulary: 50, mask: 50)" }, /mask-in-vocabulary/],
  [
    "more than all that is chosen",
    { mask: "corrupt(masked: 80%, random: 30%)" },
    /shares-of-one: 80% and 30% are more/,
  ],
  ["spans of tokens", { mask: "corrupt(span: 3)" }, /span-of-spans: a token has no length in words/],
  ["nothing left to read", { mask: "corrupt(ratio: 99%)" }, /some-of-each: a ratio of 99% may choose all of 16 tokens/],
])("%s", (_, changed, message) => {
  const findings = found(changed);
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.join("\n")).toMatch(message);
});

test.each([
  ["mean", "meanOfPlaces(g, deep, places)"],
  ["class_token", "firstToken(g, deep)"],
])("a classifier reads a text by %s", async (pool, call) => {
  const { input, tokens, encoder } = lines;
  const head = `head classifier(classes: 3, pool: ${pool})`;
  const slots = [`input ${input}`, `tokens ${tokens}`, "positions learned", `encoder ${encoder}`, head];
  const text = `edition 2026\nmodel Text {\n  ${slots.join("\n  ")}\n  loss cross_entropy\n}\n`;
  expect(await emitModule(modelOf(text), "0.0.0-test")).toContain(call);
});
