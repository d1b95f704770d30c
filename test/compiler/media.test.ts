/** Inputs of every medium: cut, masked and emitted with literal shapes, and the recipes that go with them. */

import { beforeAll, describe, expect, test } from "vitest";
import { maskedBatch, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { plan } from "../../compiler/plan.js";
import { createBuilder, printGraph } from "../../graph/index.js";
import { loadEmitted, textErrors } from "../support/emitted.js";
import { analyzed, modelOf } from "../support/model.js";

const spec = (lines: string): string => `
edition 2026
model UnderTest {
${lines}
  encoder vit(depth: 1, width: 24, heads: 2)
  decoder vit(depth: 1, width: 12, heads: 2)
  target  pixels(normalize: patch)
  loss    mse
}`;

const media = {
  video: `  input   video(frames: 4, size: 8x12, channels: 2)
  tokens  patch(size: 2x4x4)
  mask    random(ratio: 50%, along: [row, column], round: hidden_down)
  positions sin_cos(order: flat)`,
  volume: `  input   volume(size: 4x8x6)
  tokens  patch(size: 2x4x3)
  mask    random(ratio: 50%, each: [depth])`,
  signal: `  input   signal(leads: 3, samples: 20)
  tokens  patch(size: 1x5, norm: around)
  mask    hilbert(ratio: 50%)
  positions sin_cos(along: [time])`,
  spectrogram: `  input   spectrogram(frames: 16, mels: 8)
  tokens  patch(size: 4x4)
  mask    random(ratio: 50%, along: [time])
  positions separable`,
};

const shapes = {
  video: ['"B", 4, 8, 12, 2', '"B", 12, 64'],
  volume: ['"B", 4, 8, 6, 1', '"B", 8, 24'],
  signal: ['"B", 3, 20, 1', '"B", 12, 5'],
  spectrogram: ['"B", 16, 8, 1', '"B", 8, 16'],
};

/** One sample in plans, pictures and scores. */
const called = { video: "clip", volume: "volume", signal: "signal", spectrogram: "recording" };

type Medium = keyof typeof media;

const emitted = await Promise.all(
  (Object.keys(media) as Medium[]).map(async (medium) => {
    const model = modelOf(spec(media[medium]));
    return { medium, model, text: await emitModule(model, "0.0.0-test") };
  }),
);

/** The text with a size changed that it has, or else the shape of its patches. */
function changed(text: string, medium: Medium, right: string, wrong: string): string {
  const [, patches] = shapes[medium] as [string, string];
  return text.includes(right) ? text.replace(right, wrong) : text.replace(patches, `${patches}1`);
}

/** What the compiler finds in each text as it is emitted, and with a changed shape. */
let errors: readonly (readonly string[])[];
beforeAll(async () => {
  const texts = emitted.flatMap(({ medium, text }) => [
    text,
    changed(text, medium, "count: 2", "count: 3"),
    changed(text, medium, "size: 4", "size: 5"),
  ]);
  errors = await textErrors(texts);
});

describe.each(emitted.map((one, i) => ({ ...one, i })))("$medium", ({ medium, model, text, i }) => {
  test("is emitted with its shapes, as the model that is planned, and a changed shape is an error", async () => {
    for (const shape of shapes[medium]) expect(text).toContain(`Tensor<[${shape}]>`);
    const [own, ...others] = errors.slice(3 * i, 3 * i + 3);
    expect(own).toEqual([]);
    expect(others).toHaveLength(2);
    for (const found of others) expect(found.length).toBeGreaterThan(0);
    const graphOf = (program: ReturnType<typeof programOf>): string => {
      const g = createBuilder({ batch: 2 });
      const w = weightsOf(g, program.parameters);
      const { total } = program.loss(g, w, maskedBatch(g, program, w));
      return printGraph(g.finish({ outputs: { total } }));
    };
    expect(graphOf(await loadEmitted(text))).toBe(graphOf(programOf(assemble(model))));
    expect(plan(model).sample).toBe(called[medium]);
  });

  test("takes the data and the augmentations that are for it, and says of others what is", () => {
    const found = (data: string, augment: string): readonly string[] => {
      const recipe = `recipe Short for UnderTest {\n  data ${data}\n  augment ${augment}\n  steps 1\n  optimizer sgd(lr: 0.1)\n  schedule constant\n}`;
      return analyzed(`${spec(media[medium])}\n${recipe}`)
        .diagnostics.filter(({ severity }) => severity === "error")
        .map(({ code, help }) => `${code}: ${help}`);
    };
    const statistics = medium === "video" ? "(0.5, 0.5)" : "(0.5)";
    expect(found('npy("a.npy")', `normalize(mean: ${statistics}, std: ${statistics})`)).toEqual([]);
    expect(found('idx("a.idx")', "normalize(mean: (1, 2, 3), std: (1, 1, 1))")).toEqual([
      expect.stringMatching(/^dataset\/idx\/input: .*npy/),
      expect.stringMatching(/^augment\/normalize\/one-number-a-channel/),
    ]);
    const hasPictures = medium === "video" || medium === "volume";
    const refused = expect.stringMatching(/^augment\/resize\/pictures: .*normalize/);
    expect(found('npy("a.npy")', "resize")).toEqual(hasPictures ? [] : [refused]);
  });
});

test.each([
  ["a Hilbert curve over three axes", "mask hilbert", "mask/hilbert/two-axes", "along: [row, column]"],
  ["an axis that is not there", "mask random(along: [lead])", "mask/random/axes-there", "time, row, column"],
  ["an axis that is named twice", "mask random(along: [row, row])", "check/duplicate-parameter", "one of them"],
  ["blocks over three axes", "mask block", "mask/block/two-axes", "along: [row, column]"],
  ["a cell of other axes", "mask random(cell: 8x8)", "mask/random/whole-tokens", ""],
  [
    "an axis over which it is both drawn and repeated",
    "mask random(along: [row], each: [row])",
    "mask/random/some-axis",
    "",
  ],
  ["an axis without brackets", "mask random(along: row)", "check/wrong-type", "[row]"],
  [
    "positions along an axis that is not there",
    "positions sin_cos(along: [lead])\n  mask random",
    "positions/sin_cos/axes-there",
    "time, row, column",
  ],
  [
    "positions along no axis",
    "positions sin_cos(along: [])\n  mask random",
    "positions/sin_cos/axes-there",
    "time, row, column",
  ],
  ["a word that is no axis", "mask random(along: [rows])", "check/unknown-option", "row"],
  ["a cell of parts of tokens", "mask random(cell: 2x6x6)", "mask/random/whole-tokens", "2x8x8"],
  ["histograms of what is no picture", "mask random", "target/hog/rows-and-columns", "pixels"],
])("says of %s what would fit", (_, mask, code, help) => {
  const text = spec(
    `  input   video(frames: 2, size: 8x8)\n  tokens  patch(size: 2x4x4)\n  ${mask.startsWith("positions") ? "" : "positions learned\n  "}${mask}`,
  );
  const wrong = code.includes("hog") ? text.replace("pixels(normalize: patch)", "hog") : text;
  const found = analyzed(wrong).diagnostics.find((one) => one.code === code);
  expect(found?.help, JSON.stringify(analyzed(wrong).diagnostics.map((one) => one.code))).toContain(help);
});

test("a patch has a side for each axis, which divides it", () => {
  const found = (size: string) =>
    analyzed(spec(`  input video(frames: 3, size: 8x8)\n  tokens patch(size: ${size})\n  mask random`)).diagnostics.map(
      ({ message }) => message,
    );
  expect(found("4x4")).toContain("a patch of 4x4 has 2 sides, and the input 3 axes: time, row, column");
  expect(found("2x4x4")).toContain("input time 3 is not divisible by patch time 2");
});

test.each([
  [
    "positions of times and places where there is no time",
    "image(size: 8x8)",
    "4x4",
    "positions separable",
    "",
    "time-and-places",
  ],
  ["times of what has none", "image(size: 8x8)", "4x4", "", "times: 2", "target/pixels/whole-times"],
  [
    "times that tokens do not share",
    "video(frames: 8, size: 8x8)",
    "4x4x4",
    "",
    "times: 6",
    "target/pixels/whole-times",
  ],
])("says what is wrong with %s", (_, input, patch, positions, times, code) => {
  const text = spec(`  input ${input}\n  tokens patch(size: ${patch})\n  mask random\n  ${positions}`);
  const found = analyzed(text.replace("normalize: patch", `normalize: patch, ${times}`)).diagnostics;
  expect(found.map((one) => one.code)).toContainEqual(expect.stringContaining(code));
  if (times === "times: 6") expect(found[0]?.help).toContain("write 2, 4, 8");
});

test("a decoder has a class token of its own where the encoder has one", () => {
  const text = spec("  input image(size: 8x8)\n  tokens patch(size: 4x4)\n  mask random")
    .replace("width: 12, heads: 2)", "width: 12, heads: 2, class_token: own)")
    .replace("width: 24, heads: 2)", "width: 24, heads: 2, class_token: false)");
  expect(analyzed(text).diagnostics.map(({ code }) => code)).toContain("decoder/vit/token-for-token");
});
