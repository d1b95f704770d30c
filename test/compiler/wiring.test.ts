/** Which part of a model reads which, and what a block is told of the parts that it has to do with. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { wiringOf as wiringOfModel } from "../../compiler/assemble/arrays.js";
import type { Filled } from "../../compiler/model.js";
import { idleParts, type Part, relatedTo, type Wiring } from "../../compiler/wire/wiring.js";
import { wiringLines, wiringTree } from "../../compiler/wiring-tree.js";
import { analyzed, modelOf } from "../support/model.js";

const wiringOf = (text: string): Wiring<Filled> => wiringOfModel(modelOf(text));

const nameOf = ({ slot, line: { label }, within }: Part<Filled>): string =>
  [within ? `${within.line.label}/` : "", slot, label === null ? "" : ` ${label}`].join("");

/** `decoder <- latent: encoder, target: target`, a line for each part that reads something. */
const shown = ({ parts, wires }: Wiring<Filled>): readonly string[] =>
  parts.flatMap((part) => {
    const reads = (wires.get(part) ?? []).flatMap(({ port, sources }) =>
      sources.length === 0 ? [] : [`${port.name}: ${sources.map(nameOf)}`],
    );
    return reads.length === 0 ? [] : [`${nameOf(part)} <- ${reads.join(", ")}`];
  });

const twoTargets = `edition 2026
model TwoTargets {
  input   image(size: 16x16, channels: 3)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 8, heads: 2)
  target  pixels
  target  parts: regions(source: felzenszwalb(scale: 10), count: 2) {
    encoder vit(depth: 1, width: 8, heads: 2, class_token: false)
    decoder region_query(depth: 1, width: 12, heads: 2)
    loss    bce
  }
  loss    mse
}`;

test("a part reads what stands nearest, and a decoder the target that is left for it", () => {
  expect(shown(wiringOf(twoTargets))).toEqual([
    "tokens <- array: input",
    "positions <- set: tokens",
    "mask <- set: tokens",
    "encoder <- tokens: tokens, positions: positions, mask: mask",
    "decoder <- latent: encoder, target: target, positions: positions",
    "target <- array: input, set: tokens",
    "target parts <- array: input, set: tokens",
    "parts/encoder <- target: target parts, positions: positions, mask: mask",
    "parts/decoder <- latent: encoder, target: target parts, encoded: parts/encoder, positions: positions",
    "parts/loss <- prediction: parts/decoder",
    "loss <- prediction: decoder",
  ]);
});

test("a part has to do with what it reads, with what reads it, and never with what it can mistake for that", () => {
  const wiring = wiringOf(twoTargets);
  const part = (name: string): Part<Filled> => wiring.parts.find((other) => nameOf(other) === name) as Part<Filled>;
  expect(relatedTo(wiring, part("parts/decoder"), "target")).toBe(part("target parts"));
  expect(relatedTo(wiring, part("positions"), "encoder")).toBe(part("encoder"));
  expect(relatedTo(wiring, part("parts/loss"), "input")).toBe(part("input"));
  expect(relatedTo(wiring, part("input"), "teacher")).toBeNull();
  expect(idleParts(wiring)).toEqual([]);
});

test("a line without a label is judged for every input that has none of its own", () => {
  const found = analyzed(`edition 2026
model Pair {
  input   small: image(size: 60x60, channels: 1)
  input   large: image(size: 100x100, channels: 1)
  input   wide:  image(size: 96x35, channels: 1)
  tokens  wide:  patch(size: 7x7)
  tokens  patch(size: 20x20)
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 8, heads: 2)
  target  pixels
  loss    mse
}`).diagnostics;
  expect(found.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    "tokens/patch/divides-height: image height 96 is not divisible by patch height 7",
  ]);
});

test("the page of CAV-MAE shows the wiring that a plan draws", () => {
  const page = readFileSync(new URL("../../docs/methods/cav-mae.md", import.meta.url), "utf8");
  const [, spec = ""] = page.split("```mae\n");
  const [text = ""] = spec.split("recipe ");
  expect(page).toContain(wiringLines(wiringTree(modelOf(text))).join("\n"));
});
