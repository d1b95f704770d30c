/** Models with a head: what they may hold beside it, what judges them, and what a pipeline asks of their stages. */

import { describe, expect, test } from "vitest";
import { analyzed } from "../../support/model.js";

const model = (lines: string, name = "Named"): string => `
model ${name} {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 16, heads: 2, class_token: false)
  ${lines}
}`;

const recipe = (evaluate: string, name = "Named"): string => `
recipe Train${name} for ${name} {
  data      folder("data")
  batch     16
  steps     100
  optimizer adamw(lr: 1e-3)
  schedule  constant
  ${evaluate}
}`;

const head = "head classifier(classes: 3)\n  loss cross_entropy";
const mae = `mask random(ratio: 75%)
  decoder linear
  target  pixels
  loss    mse`;

const found = (text: string): readonly string[] =>
  analyzed(`edition 2026\n${text}`).diagnostics.map(({ code }) => code);

describe("a head", () => {
  test("needs no mask, decoder or target", () => {
    expect(found(model(head))).toEqual([]);
  });

  test("stands beside a mask, and beside what predicts patches where that is whole", () => {
    expect(found(model(`mask random(ratio: 75%)\n  ${head}`))).toEqual([]);
    expect(found(model(`${mae.replace("mse", "mse(weight: 0.5)")}\n  ${head}`))).toEqual([]);
    expect(found(model(`decoder linear\n  ${head}`))).toEqual(["check/missing-slot"]);
    expect(found(model(`target pixels\n  ${head}`))).toEqual(["check/idle-part"]);
  });

  test("is judged by a loss of classes, and patches by one of patches", () => {
    expect(found(model(head.replace("cross_entropy", "mse")))).toEqual(["check/loss-of-another-kind"]);
    expect(found(model(mae.replace("mse", "cross_entropy")))).toEqual(["check/loss-of-another-kind"]);
  });

  test("reads a class token only where there is one", () => {
    expect(found(model(head.replace("3)", "3, pool: class_token)")))).toEqual(["head/classifier/class-token"]);
  });
});

describe("patches that overlap", () => {
  const overlapping = (patch: string, lines: string): readonly string[] =>
    found(model(lines).replace("patch(size: 4x4)", `patch(size: ${patch})`));

  test("are read as a whole, under a mask too, and no place of the input is asked for", () => {
    expect(overlapping("4x4, stride: 3x2", head)).toEqual([]);
    expect(overlapping("4x4, stride: 3x2", `mask random(ratio: 75%)\n  ${head}`)).toEqual([]);
    const places = "head segmentation(classes: 3)\n  loss place_cross_entropy";
    expect(overlapping("4x4, stride: 3x2", places)).toEqual(["check/unreadable-source"]);
    expect(overlapping("4x4, stride: 3x2", mae)).toEqual(["check/unreadable-source"]);
    const parts = "mask regions(source: felzenszwalb(scale: 50), ratio: 75%)";
    expect(overlapping("4x4, stride: 3x2", `${parts}\n  ${head}`)).toContain("check/unreadable-source");
  });

  test.each(["4x4, stride: 5x3", "4x4, stride: 4x4", "4x4, stride: 2x2x2"])("%s is no such patch", (patch) => {
    expect(overlapping(patch, head)).toEqual(["tokens/patch/overlapping"]);
  });

  test("are no longer than the input, and not normalised", () => {
    expect(overlapping("17x4, stride: 3x3", head)).toEqual(["tokens/patch/within"]);
    expect(overlapping("4x4, stride: 3x3, norm: around", head)).toEqual(["tokens/patch/norm-apart"]);
  });
});

describe("accuracy", () => {
  test("is asked of a model with a head", () => {
    expect(found(model(head) + recipe("evaluate accuracy"))).toEqual([]);
    expect(found(model(mae) + recipe("evaluate accuracy every 10 steps"))).toEqual(["probe/accuracy/head"]);
  });

  test("is asked of a stage whose model has a head", () => {
    const stages = (judged: string): string =>
      `${model(mae, "Mae")}${recipe("", "Mae")}${model(head)}${recipe("")}
pipeline Study {
  stage mae  = TrainMae of Mae
  stage fine = TrainNamed of Named from mae.encoder fresh head
  evaluate ${judged}: accuracy
}`;
    expect(found(stages("fine"))).toEqual([]);
    expect(found(stages("mae"))).toEqual(["probe/accuracy/head"]);
  });

  test("a stage's recipe is judged against the stage's model", () => {
    const text = `${model(mae, "Mae")}${model(head)}${recipe("evaluate accuracy")}
pipeline Study {
  stage mae = TrainNamed of Mae
}`;
    expect(found(text)).toEqual(["probe/accuracy/head"]);
  });
});
