/**
 * Encoders of maps: they have the published numbers of weights, read no hidden pixel at any stride, work along one to three axes, give
 * classifiers what stands behind the mean, and refuse what goes with tokens alone.
 */

import { describe, expect, test } from "vitest";
import { batchInputs, namedParameters, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { plan } from "../../compiler/index.js";
import { countWeights } from "../../compiler/memory-plan.js";
import { createBuilder, evaluate, randomStream, sizeOf, type Tensor, type Values } from "../../graph/index.js";
import { analyzed, modelOf, programOfText } from "../support/model.js";

const model = (...lines: readonly string[]): string => `edition 2026\nmodel UnderTest {\n${lines.join("\n")}\n}\n`;

const classifying = (encoder: string): string =>
  model(
    "input image(size: 224x224, channels: 3)",
    `encoder ${encoder}`,
    "head classifier(classes: 1000)",
    "loss cross_entropy",
  );

describe("the weights of a classifier of 1000 classes are as many as timm's", () => {
  const sizes = [
    ["(2, 2, 6, 2)", "(40, 80, 160, 320)", 2, 3_708_400],
    ["(2, 2, 6, 2)", "(48, 96, 192, 384)", 2, 5_233_240],
    ["(2, 2, 6, 2)", "(64, 128, 256, 512)", 2, 9_066_280],
    ["(2, 2, 8, 2)", "(80, 160, 320, 640)", 2, 15_623_800],
    ["(3, 3, 9, 3)", "(96, 192, 384, 768)", 2, 28_635_496],
    ["(3, 3, 27, 3)", "(128, 256, 512, 1024)", 2, 88_717_800],
    ["(3, 3, 27, 3)", "(192, 384, 768, 1536)", 2, 197_956_840],
    ["(3, 3, 27, 3)", "(352, 704, 1408, 2816)", 2, 660_289_640],
    ["(3, 3, 9, 3)", "(96, 192, 384, 768)", 1, 28_589_128],
    ["(3, 3, 27, 3)", "(128, 256, 512, 1024)", 1, 88_591_464],
  ] as const;

  test.each(sizes)("convnext %s %s, version %s", (depths, widths, version, weights) => {
    const encoder = `convnext(depths: ${depths}, widths: ${widths}, version: ${version}, norm: true)`;
    expect(countWeights(assemble(modelOf(classifying(encoder))).parameters)).toBe(weights);
  });

  test.each([
    ["(2, 2, 6, 2)", 96, "(3, 6, 12, 24)", 28_288_354],
    ["(2, 2, 18, 2)", 96, "(3, 6, 12, 24)", 49_606_258],
    ["(2, 2, 18, 2)", 128, "(4, 8, 16, 32)", 87_768_224],
    ["(2, 2, 18, 2)", 192, "(6, 12, 24, 48)", 196_532_476],
  ])("swin %s %s %s", (depths, width, heads, weights) => {
    const encoder = `swin(depths: ${depths}, width: ${width}, heads: ${heads})`;
    expect(countWeights(assemble(modelOf(classifying(encoder))).parameters)).toBe(weights);
  });

  test.each([
    ["(3, 4, 6, 3)", 25_557_032],
    ["(3, 4, 23, 3)", 44_549_160],
    ["(3, 8, 36, 3)", 60_192_808],
  ])("resnet %s, but for running means", (depths, weights) => {
    const { parameters } = assemble(modelOf(classifying(`resnet(depths: ${depths})`)));
    const learned = [...namedParameters(parameters)].filter(([, { state }]) => !state);
    expect(learned.reduce((sum, [, { shape }]) => sum + sizeOf(shape.map(Number)), 0)).toBe(weights);
  });

  test("and ConvNeXt Tiny takes 4.5 billion multiply-adds", () => {
    const encoder = "convnext(depths: (3, 3, 9, 3), widths: (96, 192, 384, 768), version: 1, norm: true)";
    const { flops } = plan(modelOf(classifying(encoder)));
    expect(flops.forward / 2 / 1e9).toBeCloseTo(4.46, 2);
  });
});

/** Computes of arrays what `outputs` makes of a batch; weights and arrays are drawn. */
function evaluator(text: string) {
  const program = programOfText(text);
  const g = createBuilder({ batch: 1 });
  const weights = weightsOf(g, program.parameters);
  const batch = batchInputs(g, program);
  const graph = g.finish({
    outputs: {
      latent: program.encode(g, weights, batch),
      features: program.features(g, weights, batch),
      loss: program.loss(g, weights, batch).total as Tensor,
    },
  });
  const drawn = (seed: number, shape: readonly number[]): Float32Array => {
    const random = randomStream(seed, "init");
    return Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * random.normal());
  };
  // A variance is positive.
  const started = (name: string, values: Float32Array): Float32Array =>
    name.endsWith("running_var") ? values.map((value) => 0.1 + Math.abs(value)) : values;
  const state = Object.fromEntries(
    [...graph.state].map(([name, { shape }], i) => [name, started(name, drawn(i, shape))]),
  );
  return { feeds: graph.feeds, drawn, run: (feeds: Values) => evaluate(graph, feeds, state).outputs };
}

const pixels = ["decoder convnext_block(width: 6)", "target pixels(normalize: none)", "loss mse(on: hidden)"] as const;
const encoder = "encoder convnext(depths: (1, 1), widths: (4, 6), stem: 2)";
const hybrid = "encoder convvit(depths: (1, 1), widths: (4, 6), heads: 2, stem: 2)";
const seenAgain = "decoder map_vit(depth: 1, width: 12, heads: 2)";

const decoded = [seenAgain, ...pixels.slice(1)];

test.each([
  ["convnext(depths: (1, 1), widths: (4, 6), stem: 2)", pixels],
  ["resnet(depths: (1, 2, 1), width: 2, stem: small)", pixels],
  ["convvit(depths: (1, 1), widths: (4, 8), heads: 2, stem: 2)", decoded],
  // A transformer in place of FCMAE's block.
  ["convnext(depths: (1, 1), widths: (4, 6), stem: 2)", decoded],
])("what is hidden reaches nothing but features: %s", (name, rest) => {
  const lines = ["input image(size: 16x12, channels: 2)", "mask random(ratio: 50%)", `encoder ${name}`, ...rest];
  const { drawn, run } = evaluator(model(...lines));
  const order = Int32Array.of(3, 10, 0, 7, 11, 5, 1, 2, 4, 6, 8, 9);
  const restore = Int32Array.from(order.keys(), (token) => order.indexOf(token));
  const places = { visible: order.slice(0, 6), hidden: order.slice(6), restore };
  const image = drawn(1, [16, 12, 2]);
  // Cell 1 covers rows 0 to 3 and columns 4 to 7.
  const other = image.map((value, i) => (Math.floor(i / 24) < 4 && Math.floor((i % 24) / 8) === 1 ? value + 5 : value));
  const [before, after] = [run({ image, ...places }), run({ image: other, ...places })];
  // Zeros have a sign.
  const numbers = (values: Values[string] | undefined) => Array.from(values ?? [], (value) => value + 0);
  expect(numbers(after.latent)).toEqual(numbers(before.latent));
  expect(after.features).not.toEqual(before.features);
  expect(after.loss).not.toEqual(before.loss);
});

test.each([
  ["signal(leads: 4, samples: 32)", "8", [encoder, ...pixels]],
  ["volume(size: 8x4x12, channels: 2)", "6", [encoder, ...pixels]],
  ["volume(size: 8x4x12, channels: 2)", "6", [hybrid, ...decoded]],
] as const)("along other axes: %s", (input, cells, lines) => {
  const { feeds, drawn, run } = evaluator(model(`input ${input}`, "mask random(ratio: 50%)", ...lines));
  const count = Number(cells) / 2;
  const order = Int32Array.from({ length: Number(cells) }, (_, i) => i);
  const arrays = Object.fromEntries(
    [...feeds].filter(([, { dtype }]) => dtype === "float32").map(([name, { shape }]) => [name, drawn(1, shape)]),
  );
  const outputs = run({ ...arrays, visible: order.slice(0, count), hidden: order.slice(count), restore: order });
  expect(outputs.latent).toHaveLength(Number(cells) * 6);
  expect(Number.isFinite(outputs.loss?.[0])).toBe(true);
});

describe("what goes with tokens alone is refused", () => {
  const image = "input image(size: 32x32, channels: 3)";
  const mask = "mask random(ratio: 50%)";
  const swin = "encoder swin(depths: (1, 1), width: 4, heads: (1, 1), window: 8, stem: 2)";
  const drawn = "decoder linear";
  const whole = hybrid.replace("6)", "8)");
  test.each<readonly [string, readonly string[]]>([
    ["check/missing-slot", [image, "positions learned", mask, encoder, ...pixels]],
    ["check/idle-part", [image, "tokens patch(size: 4x4)", mask, encoder, ...pixels]],
    ["encoder/convnext/whole-cells", ["input image(size: 30x32, channels: 3)", mask, encoder, ...pixels]],
    ["decoder/convnext_block/of-hidden-places", [image, mask, swin, ...pixels]],
    ["encoder/swin/whole-windows", ["input image(size: 48x32, channels: 3)", mask, swin, drawn, ...pixels.slice(1)]],
    [
      "decoder/swin/stage-of-each-map",
      [image, mask, swin, "decoder swin(depths: (1, 1), heads: (1, 1), window: 8)", ...pixels.slice(1)],
    ],
    ["mask/random/hidden-as-it-can", [image, "mask random(ratio: 50%, hidden: drop)", encoder, ...pixels]],
    ["decoder/vit/of-tokens", [image, mask, encoder, "decoder vit(depth: 1, width: 8, heads: 2)", ...pixels.slice(1)]],
    [
      "decoder/convnext_block/of-maps",
      [image, "tokens patch(size: 4x4)", mask, "encoder vit(depth: 1, width: 8, heads: 2)", ...pixels],
    ],
    [
      "check/unreadable-source",
      [image, mask, encoder, pixels[0], "target features(layers: 1)", "loss smooth_l1", "teacher ema"],
    ],
    ["decoder/map_vit/of-hidden-places", [image, mask, swin, ...decoded]],
    ["decoder/map_vit/width-of-positions", [image, mask, encoder, seenAgain.replace("12", "10"), ...pixels.slice(1)]],
    ["encoder/convvit/one-width-a-stage", [image, mask, whole.replace("(1, 1)", "(1)"), ...decoded]],
    ["encoder/convvit/heads-divide-width", [image, mask, whole.replace("heads: 2", "heads: 3"), ...decoded]],
    ["encoder/convvit/width-of-positions", [image, mask, hybrid, ...decoded]],
    ["encoder/convvit/odd-window", [image, mask, whole.replace("heads", "kernel: 4, heads"), ...decoded]],
    ["decoder/unet/whole-widths", [image, mask, encoder, "decoder unet(width: 6)", ...pixels.slice(1)]],
  ])("%s", (code, lines) => {
    const { diagnostics } = analyzed(model(...lines));
    expect(diagnostics.filter(({ severity }) => severity === "error").map((one) => one.code)).toEqual([code]);
  });
});

test("programs of maps are asked for one layer", () => {
  const program = programOf(assemble(modelOf(classifying("convnext(depths: (1), widths: (8), norm: true)"))));
  expect([program.layers, program.extraTokens, program.classes]).toEqual([1, 0, 1000]);
});
