/** What is said of a teacher, of targets that are made of what it gives, and of values that move during training. */

import { describe, expect, test } from "vitest";
import type { Teacher } from "../../../blocks/index.js";
import { analyzed } from "../../support/model.js";

const model = (...lines: readonly string[]) =>
  analyzed(`edition 2026

model Taught {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  mask    random(ratio: 75%)
  encoder vit(depth: 4, width: 64, heads: 4)
  decoder linear
  loss    smooth_l1
${lines.map((line) => `  ${line}\n`).join("")}}
`);

const errors = (...lines: readonly string[]) =>
  model(...lines).diagnostics.map(({ code, message }) => `${code}: ${message}`);

test("a target of features needs a teacher", () => {
  expect(errors("target features(layers: 2)")).toEqual([
    "check/missing-slot: `Taught` has no `teacher` for its target `features`",
  ]);
});

test("layers of a teacher can be read where there is a target that is made of them", () => {
  const text = `edition 2026
model Taught {
  input   image(size: 32x32, channels: 3)
  mask    random(ratio: 50%)
  encoder resnet(depths: (1, 1), width: 4, stem: small)
  decoder unet(width: 8)
  target  features(layers: 1)
  teacher ema
  loss    smooth_l1
}`;
  const messages = analyzed(text).diagnostics.map(({ message }) => message);
  expect(messages).toContain(
    "`target` is made of what layers of the teacher `ema` give, and those of `resnet` cannot be read one by one",
  );
});

test.each([
  [
    "loss    motion_mse",
    "the loss `motion_mse` weighs each patch by what lies there, and the mask `multi_block` has blocks of patches",
  ],
  [
    "loss    smooth_l1(on: visible)",
    "the loss `smooth_l1` asks for visible patches, and the mask `multi_block` has blocks of hidden ones",
  ],
  ["loss    bce", "`bce` compares logits with zeros and ones, and the target `features` has other numbers"],
  [
    "loss    smooth_l1\n  target student: imitation {\n  decoder block_vit(depth: 1, width: 16, heads: 2)\n  loss mse\n  }",
    "`target student` is made of what the model's decoder `block_vit` predicts, block by block",
  ],
])("what is about every patch stands beside no blocks of hidden ones: %s", (lines, message) => {
  const text = `edition 2026
model Blocks {
  input   spectrogram(frames: 64, mels: 32)
  tokens  patch(size: 16x8)
  mask    multi_block
  encoder vit(depth: 1, width: 16, heads: 2, class_token: false)
  decoder block_vit(depth: 1, width: 16, heads: 2)
  target  features(layers: 1)
  teacher ema
  ${lines}
}`;
  const found = analyzed(text).diagnostics.filter(({ severity }) => severity === "error");
  expect(found.map((one) => one.message)).toEqual([message]);
});

test("a teacher needs a target that is made of what it gives", () => {
  expect(errors("target pixels", "teacher ema")).toEqual([
    "check/idle-part: no loss or output of `Taught` reads its `teacher`",
  ]);
});

test("no more layers are averaged than the encoder has", () => {
  expect(errors("target features(layers: 6)", "teacher ema")).toEqual([
    "target/features/as-many-layers: the last 6 layers of an encoder that has 4",
  ]);
});

describe("a momentum", () => {
  /** At the start of each epoch of ten, of four steps each. */
  const momenta = (written: string): readonly number[] => {
    const { models, diagnostics } = model("target features(layers: 2)", `teacher ema(${written})`);
    expect(diagnostics).toEqual([]);
    const teachers = models.get("Taught")?.slots.filter(({ slot }) => slot === "teacher") ?? [];
    return teachers.flatMap(({ use: { definition, values } }) =>
      [0, 1, 2, 5, 10].map((epoch) =>
        (definition as unknown as Teacher).momentum(values as never, {
          step: 4 * epoch,
          totalSteps: 40,
          stepsPerEpoch: 4,
        }),
      ),
    );
  };

  test.each([
    ["momentum: 0.9", [0.9, 0.9, 0.9, 0.9, 0.9]],
    ["momentum: 0.5 -> 1 over all epochs", [0.5, 0.55, 0.6, 0.75, 1]],
    ["momentum: 0.5 -> 1", [0.5, 0.55, 0.6, 0.75, 1]],
    ["momentum: 0.5 -> 1 over 50%", [0.5, 0.6, 0.7, 1, 1]],
    ["momentum: 0.5 -> 1 over 2 epochs", [0.5, 0.75, 1, 1, 1]],
    ["momentum: 1 -> 0.5 over 8 steps", [1, 0.75, 0.5, 0.5, 0.5]],
    ["momentum: 0.5 -> 1 over 0 steps", [1, 1, 1, 1, 1]],
    ["momentum: 0.5 -> 1, curve: cosine", [0.5, 0.5 + (1 - Math.cos(Math.PI / 10)) / 4, 0.5477457514, 0.75, 1]],
  ])("%s", (written, expected) => {
    expect(momenta(written)).toHaveLength(expected.length);
    for (const [i, value] of momenta(written).entries()) expect(value).toBeCloseTo(expected[i] as number, 9);
  });

  test.each([
    ["momentum: 2", "check/out-of-range: `momentum` of `ema` is 2, and must be between 0 and 1"],
    ["momentum: 0.5 -> 2", "check/out-of-range: `momentum` of `ema` is 2, and must be between 0 and 1"],
    ["momentum: 0.5 -> 1 over 30", "check/missing-unit: the duration after `over` in `momentum` of `ema` needs a unit"],
    [
      "momentum: 0.5 -> 1 over 5 ms",
      "check/wrong-unit: the duration after `over` in `momentum` of `ema` takes the unit",
    ],
    ["momentum: 0.5 -> 1 over 150%", "check/out-of-range: the duration after `over` in `momentum` of `ema` is 150%"],
    ["momentum: 50%", "check/wrong-unit: `momentum` of `ema` takes a plain number"],
    ["momentum: fast", "check/unknown-variable"],
    ['momentum: "0.9"', "check/wrong-type: `momentum` of `ema` takes a number such as `0.996`, or one that moves"],
  ])("not %s", (written, expected) => {
    const [message, ...more] = errors("target features(layers: 2)", `teacher ema(${written})`);
    expect(more).toEqual([]);
    expect(message?.startsWith(expected), message).toBe(true);
  });
});
