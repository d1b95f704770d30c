/**
 * Laws of emission: what is printed is the model that was planned, node by node; `tsc --strict` accepts it, and rejects it
 * when one of its shapes is changed; a spec cannot smuggle code into it.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { type ModelProgram, maskedBatch, type Progress, weightsOf } from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { emitModule } from "../../../compiler/emit/index.js";
import { createBuilder, printGraph } from "../../../graph/index.js";
import { loadEmitted, textErrors } from "../../support/emitted.js";
import { exampleOf, modelOf } from "../../support/model.js";
import { maskOf } from "../../support/one-array.js";
import { type RecordedBatch, recorded } from "../../support/recorded.js";

const spec = (lines: string, doc = "A model under test."): string => `
edition 2026
/// ${doc}
model UnderTest {
  input   image(size: 28x20, channels: 3)
  tokens  patch(size: 7x4)
  ${lines}
}`;

const cases: Readonly<Record<string, string>> = {
  mae: `mask    random(ratio: 75%)
  encoder vit(depth: 3, width: 64, heads: 4)
  decoder vit(depth: 2, width: 32, heads: 2)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)`,
  "without a class token": `mask      spiral(ratio: 60%)
  positions learned
  encoder   vit(depth: 2, width: 24, heads: 3, class_token: false, mlp_ratio: 2)
  decoder   vit(depth: 1, width: 12, heads: 3)
  target    pixels(normalize: none)
  loss      l1(on: all)`,
  "linear decoder and two losses": `mask    block(ratio: 50%)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder linear
  target  pixels(normalize: none)
  loss    smooth_l1(beta: 0.5, weight: 2)
  add loss mse(on: visible, weight: 0.1)`.replace("add loss", "loss   "),
  "hidden tokens that pass through the encoder": `mask    random(ratio: 50%, hidden: zero)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  target  low: low_pass(radius: 4) {
    decoder linear
    loss    l1
  }
  loss    mse`,
  "two targets, and losses on the latent": `mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  hog(cell: 7x2)
  target  blocks: low_pass(radius: 5) {
    decoder vit(depth: 1, width: 12, heads: 3)
    loss    l1(weight: 0.5)
  }
  loss    mse(on: hidden)
  loss    uniformity
  loss    pooled: uniformity(on: patches)`,
  "patches that overlap, two tokens in front and a head with a norm": `positions learned
  encoder   vit(depth: 2, width: 32, heads: 4, distillation_token: true)
  head      classifier(classes: 3, pool: front, norm: own)
  loss      class_bce`,
  "an adversary that looks through the encoder": `mask      random(ratio: 75%)
  encoder   vit(depth: 2, width: 32, heads: 4)
  decoder   vit(depth: 1, width: 16, heads: 2)
  target    pixels(normalize: patch)
  loss      mse
  adversary patch_discriminator`,
  "an adversary that looks through the encoder one way": `mask      random(ratio: 75%)
  encoder   vit(depth: 2, width: 32, heads: 4)
  decoder   vit(depth: 1, width: 16, heads: 2)
  target    pixels(normalize: patch)
  loss      mse
  adversary patch_discriminator(backbone: one_way, pays: hidden)`,
  "an adversary with an encoder of its own": `mask      random(ratio: 75%)
  positions learned
  encoder   vit(depth: 2, width: 32, heads: 4, class_token: false)
  decoder   vit(depth: 1, width: 16, heads: 2)
  target    pixels(normalize: none)
  loss      mse
  adversary patch_discriminator(backbone: separate, update: joint, balance: fixed, weight: 0.2)`,
  "a teacher, read in two of its layers": `mask    random(ratio: 75%)
  encoder vit(depth: 3, width: 32, heads: 4)
  decoder linear
  target  features(layers: 2)
  loss    smooth_l1(beta: 2.0)
  teacher ema(momentum: 0.9 -> 1 over 30 epochs)`,
  "a mask guided by the second layer": `mask      attention_guided(ratio: 60%, layer: 2, random: 100% -> 0% over 25%)
  positions learned
  encoder   vit(depth: 2, width: 24, heads: 3, class_token: false)
  decoder   vit(depth: 1, width: 12, heads: 3)
  target    pixels(normalize: none)
  loss      mse`,
  "a target that is encoded": `mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 32, heads: 4)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels
  loss    mse
  target  region: regions(source: felzenszwalb(scale: (50, 200)), count: 3) {
    encoder vit(depth: 1, width: 12, heads: 3, class_token: false)
    decoder region_query(depth: 2, width: 8, heads: 2, neck_depth: 1)
    loss    bce(background: 0.5)
  }`,
  "regions alone": `mask    regions(source: felzenszwalb(scale: 50), ratio: 75%)
  positions learned
  encoder vit(depth: 1, width: 32, heads: 4, class_token: false)
  target  regions(source: label_maps("labels", ignore: 255), count: 3, touching: 2) {
    encoder vit(depth: 1, width: 12, heads: 3)
    decoder region_vit(depth: 1, width: 8, heads: 2, neck_depth: 1)
    loss    bce
  }`,
  "a head": `encoder vit(depth: 3, width: 32, heads: 4)
  head    classifier(classes: 11)
  loss    cross_entropy(smoothing: 10%)
  loss    again: cross_entropy(weight: 0.5)`,
};

const graphOf = (program: ModelProgram): string => {
  const g = createBuilder({ batch: 2 });
  const w = weightsOf(g, program.parameters);
  const batch = maskedBatch(g, program, w);
  const { total, terms, balanced } = program.loss(g, w, batch);
  const features = program.features(g, w, batch, 1);
  const against = program.adversary?.loss(g, w, batch).terms;
  const { loss: _, ...groups } = program.adversary ?? { loss: null };
  const graph = printGraph(g.finish({ outputs: { total, features, ...terms, ...against } }));
  const now: Progress = { step: 3, totalSteps: 40, stepsPerEpoch: 2 };
  const moving = Object.values(maskOf(program)?.guide?.moving ?? {}).map((at) => at(now));
  return `${graph}\n${JSON.stringify({ balanced, groups, moving, momentum: program.teacher?.momentum(now) })}`;
};

const VERSION = "0.0.0-test";

/**
 * The text with one of its shapes changed, for one of forty of them, from another start in each case: all of them take minutes. But for
 * all rows that are not samples.
 */
function withChanges(text: string, start: number): readonly { readonly what: string; readonly text: string }[] {
  const sizes = text.matchAll(
    /Tensor<\[([^\]]*)\]|counts: \[([^\]]*)\]|(?:count|size|width): (\d+)|Parameters\((\d+, \d+)\)/g,
  );
  const places = [...sizes].flatMap((m) =>
    [...m[0].matchAll(/\d+/g)].map((n) => ({ at: m.index + n.index, size: n[0] })),
  );
  expect(places.length).toBeGreaterThan(50);
  const isRows = ({ at, size }: (typeof places)[number]): boolean => text.startsWith('B"', at + size.length);
  return places
    .filter((place, i) => isRows(place) || i % 40 === start % 40)
    .map(({ at, size }) => ({
      what: `${text.slice(Math.max(0, at - 60), at + 10)} -> ${Number(size) + 1}`,
      text: `${text.slice(0, at)}${Number(size) + 1}${text.slice(at + size.length)}`,
    }));
}

/** Models of several inputs, one of text, one of latents and one of windows, as PyTorch's are recorded. */
const otherModels = [
  ...[
    "cav-mae",
    "multi-mae",
    "bert",
    "maetok",
    "perceptual",
    "dmae",
    "rotary",
    "sg-mae",
    "semantic-whole",
    "audio-mae",
    "gan-mae-slopes",
  ],
];
const models = [
  ...Object.entries(cases).map(([name, lines]) => ({ name, model: modelOf(spec(lines)), start: lines.length })),
  ...otherModels.map((name) => ({
    name,
    model: recorded<RecordedBatch & { readonly spec: string }>(name).model,
    start: name.length,
  })),
];
const emitted = await Promise.all(
  models.map(async ({ name, model, start }) => {
    const text = await emitModule(model, VERSION);
    return { name, model, text, changes: withChanges(text, start) };
  }),
);
const oddNames = ["class", "default", "await", "arguments", "undefined", "__proto__", "Tensor", "linear"];
const odd = await Promise.all(
  oddNames.map(async (name) => {
    const model = { ...modelOf(spec(cases.mae as string)), name };
    return { name, text: await emitModule(model, VERSION) };
  }),
);
/** Labels of an input that mean something else in a function of the module. */
const oddLabels = ["g", "grid", "linear", "tokens"];
const labelled = await Promise.all(
  oddLabels.map(async (name) => {
    const text = spec(cases.mae as string).replace("input   image(", `input   ${name}: image(`);
    return { name, text: await emitModule(modelOf(text), VERSION) };
  }),
);
const doc = "*/ globalThis.owned = true; /* $\u007b`x`} \u2028";
const smuggled = await emitModule(modelOf(spec(cases.mae as string, doc)), VERSION);

/** Models whose encoders give maps or see frames, of which blocks of different forms stand in one list. */
const mapped = await Promise.all(
  [
    "fcmae",
    "convmae",
    "spark",
    "spark-resnet",
    "simmim",
    "swin-mae",
    "digits-spark-resnet",
    "digits-swin-mae",
    "emoji-siam-mae",
  ].map(async (name) => {
    const { models, recipes } = exampleOf(`${name}.mae`);
    const model = models.get([...recipes.values()].at(-1)?.model ?? "");
    if (!model) throw new Error(`${name} has no model with a recipe`);
    return { name, text: await emitModule(model, VERSION) };
  }),
);

/** Models whose training sees views, with what a batch leaves behind. */
const viewed = await Promise.all(
  ["moco-v2", "ibot"].map(async (name) => {
    const { model } = recorded<RecordedBatch & { readonly spec: string }>(name);
    return { name, model, text: await emitModule(model, VERSION) };
  }),
);

/** The loss as it is trained, and what it moves. */
function trainedGraph(program: ModelProgram): string {
  const g = createBuilder({ batch: 2, training: true });
  const w = weightsOf(g, program.parameters);
  const { total, terms } = program.loss(g, w, maskedBatch(g, program, w, "training"));
  return printGraph(g.finish({ outputs: { total, ...terms } }));
}

/** What the compiler finds in each text, in one run for all of them. */
let errors: ReadonlyMap<string, readonly string[]>;
beforeAll(async () => {
  const changed = emitted.flatMap(({ changes }) => changes);
  const texts = [
    ...[...emitted, ...odd, ...labelled, ...mapped, ...viewed, ...changed].map(({ text }) => text),
    smuggled,
  ];
  const found = await textErrors(texts);
  errors = new Map(texts.map((text, i) => [text, found[i] as readonly string[]]));
});

describe.each(emitted)("$name", ({ model, text, changes }) => {
  test("the emitted module is the planned model, node by node", async () => {
    const loaded = await loadEmitted(text);
    expect(graphOf(loaded)).toBe(graphOf(programOf(assemble(model))));
    expect(maskOf(loaded)?.visible).toBe(maskOf(programOf(assemble(model)))?.visible);
  });

  test("tsc --strict accepts it, and rejects it when a shape is changed", () => {
    expect(errors.get(text)).toEqual([]);
    for (const { what, text: changed } of changes) expect(errors.get(changed)?.length, what).toBeGreaterThan(0);
  });
});

test.each(viewed)(
  "the emitted module of $name is the planned model, and tsc --strict accepts it",
  async ({ model, text }) => {
    expect(trainedGraph(await loadEmitted(text))).toBe(trainedGraph(programOf(assemble(model))));
    expect(errors.get(text)).toEqual([]);
  },
);

test.each(mapped)("tsc --strict accepts $name", ({ text }) => {
  expect(errors.get(text)).toEqual([]);
});

test.each(labelled)("an input may be called $name", ({ text }) => {
  expect(errors.get(text)).toEqual([]);
});

test.each(odd)("a model may be called $name", async ({ name, text }) => {
  expect(errors.get(text)).toEqual([]);
  expect((await loadEmitted(text)).name).toBe(name);
});

test("emission is deterministic", async () => {
  const model = modelOf(spec(cases.mae as string));
  expect(await emitModule(model, VERSION)).toBe(await emitModule(model, VERSION));
});

test("a spec cannot leave its comment", async () => {
  expect(errors.get(smuggled)).toEqual([]);
  await loadEmitted(smuggled);
  expect((globalThis as { owned?: boolean }).owned).toBeUndefined();
});
