/**
 * Models of several inputs, encoders, decoders and heads: what they compute. What has to do with one input alone is what a model of that
 * input computes, to the last digits of float64; gradients are those of quotients of differences; emitted modules are the planned models.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { type ModelProgram, maskedBatch, varyingMasks, weightsOf, withVisible } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { createBuilder, printGraph } from "../../graph/index.js";
import { computed } from "../support/computed.js";
import { loadEmitted, textErrors } from "../support/emitted.js";
import { analyzed, modelOf } from "../support/model.js";

const sizes = "depth: 1, width: 8, heads: 2";
const encoder = (label: string, rest = ""): string => `encoder ${label}: vit(${sizes}, class_token: false${rest})`;
const withToken = (label: string, rest = ""): string => `encoder ${label}: vit(${sizes}${rest})`;
const decoder = `decoder vit(${sizes})`;
const target = (label: string, block = "pixels", lines = `${decoder}\n loss mse`): string =>
  `target ${label}: ${block} {\n ${lines}\n}`;

const model = (inputs: readonly string[], lines: readonly string[]): string => `edition 2026
model Joined {
  ${inputs.map((label) => `input ${label}: image(size: ${label === "b" ? "4x8" : "8x8"}, channels: ${label === "b" ? 2 : 1})`).join("\n  ")}
  tokens patch(size: 2x2)
  ${lines.join("\n  ")}
}`;

/** What a model says of its input `a`; `b` has tokens, encoder and decoder of its own. */
const alone: Readonly<Record<string, readonly string[]>> = {
  "a decoder and its encoder": ["mask a: random(ratio: 50%)", withToken("a"), target("a")],
  "tokens that stand for hidden ones": [
    "mask a: random(ratio: 50%)",
    withToken("a"),
    target("a", "pixels", "decoder linear\n loss mse"),
  ],
  "zeros in place of hidden tokens": ["mask a: random(ratio: 50%, hidden: zero)", encoder("a"), target("a")],
  "a mask whose share varies": ["mask a: random(ratio: 25%..75%)", encoder("a"), target("a")],
  "a mask that attention guides": [
    "mask a: attention_guided(ratio: 50%, random: 50%, of: [a])",
    withToken("a"),
    target("a"),
  ],
  "a teacher": [
    "mask a: random(ratio: 50%)",
    withToken("a"),
    target("a", "features(layers: 1)"),
    "teacher ema(of: [a])",
  ],
  "an adversary that looks through a copy": [
    "mask a: random(ratio: 50%)",
    encoder("a"),
    target("a"),
    "adversary patch_discriminator(of: [a], through: [a], balance: fixed, backbone: separate)",
  ],
  "an encoder of the target": [
    "mask a: random(ratio: 50%)",
    encoder("a"),
    target(
      "a",
      "regions(source: felzenszwalb(scale: 10), count: 3)",
      `encoder vit(${sizes})\n decoder region_vit(${sizes}, neck_depth: 1)\n loss bce`,
    ),
  ],
  "a head beside a decoder": [
    "mask a: random(ratio: 50%)",
    withToken("a"),
    target("a"),
    "head classifier(classes: 3, pool: class_token, of: [a])",
    "loss classes: cross_entropy",
  ],
  uniformity: [
    "mask a: random(ratio: 50%)",
    encoder("a"),
    target("a", "pixels", `${decoder}\n loss mse\n loss uniformity(on: patches)`),
  ],
};

const other = ["mask b: random(ratio: 25%)", encoder("b"), target("b")];

/** A weight by its name in a model of `a` alone, whose encoder bears no label. */
const ofOne = (name: string): string =>
  name
    .replace(/(^|\.)(?:inputs\.)?a(?=\.)/g, "")
    .replace(/^\./, "")
    .replace("hidden_token", "mask_token");

describe.each(Object.entries(alone))("%s, of one of two inputs", (_, lines) => {
  test("is what a model of that input computes", () => {
    const one = computed(model(["a"], lines), ofOne);
    const two = computed(model(["a", "b"], [...lines, ...other]), ofOne);
    expect(Object.keys(one.terms).length).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(one.terms)) expect(two.terms[name]).toBeCloseTo(value, 12);
    for (const [name, slope] of one.gradients) {
      const same = two.gradients.get(name);
      expect(same, name).toHaveLength(slope.length);
      for (const [i, value] of slope.entries()) expect(same?.[i], name).toBeCloseTo(value, 11);
    }
  });
});

const mask = "mask random(ratio: 50%)";
const joint = [encoder("a"), encoder("b"), encoder("j", ", of: [a, b], norms: by_input")];
const lastOf = ["target pixels", "loss mse"];

/** What joins two inputs, or several encoders of one. */
const joined: Readonly<Record<string, string>> = {
  "a head over a joint encoder": model(["a", "b"], [...joint, "head classifier(classes: 3)", "loss cross_entropy"]),
  "heads of inputs alone, and of both": model(
    ["a", "b"],
    [
      ...joint,
      "head classifier(classes: 3)",
      "head a: classifier(classes: 3, of: [j.a])",
      "head b: classifier(classes: 4, of: [j.b])",
      "loss cross_entropy",
    ],
  ),
  "a head of class tokens that pass through": model(
    ["a", "b"],
    [
      withToken("a"),
      withToken("b"),
      encoder("j", ", of: [a, b]"),
      "head classifier(classes: 3, pool: class_token)",
      "loss cross_entropy",
    ],
  ),
  "a head of what a mask shows": model(
    ["a", "b"],
    [
      "mask a: random(ratio: 25%..75%)",
      withToken("j", ", of: [a, b]"),
      "head classifier(classes: 3)",
      "loss cross_entropy",
    ],
  ),
  "class tokens of three encoders": model(
    ["a", "b"],
    [mask, withToken("a"), withToken("b"), withToken("j", ", of: [a, b]"), decoder, ...lastOf],
  ),
  "decoders of two latents": model(
    ["a", "b"],
    [
      mask,
      encoder("a"),
      encoder("x", ", of: [a, b]"),
      target("a", "pixels", `decoder vit(${sizes}, of: [a])\n loss mse`),
      target("b"),
    ],
  ),
  "an input that no mask hides": model(
    ["a", "b"],
    [
      "mask a: random(ratio: 50%)",
      encoder("j", ", of: [a, b]"),
      target("a", "pixels", `decoder queries(${sizes})\n loss mse`),
    ],
  ),
  "an input that is only predicted": model(
    ["a", "b"],
    [
      "mask a: random(ratio: 50%)",
      encoder("a"),
      target("b", "pixels", `decoder vit(${sizes}, of: [a])\n loss mse(on: all)`),
    ],
  ),
  "two encoders of one input": model(
    ["a"],
    [
      mask,
      withToken("x"),
      encoder("y"),
      `decoder vit(${sizes}, of: [x])`,
      ...lastOf,
      target("t", "pixels", `decoder vit(${sizes}, of: [y])\n loss mse`),
    ],
  ),
  "an encoder upon another": model(["a"], [mask, withToken("x"), encoder("y", ", of: [x]"), decoder, ...lastOf]),
  "hidden tokens of one of two": model(
    ["a", "b"],
    ["mask a: random(ratio: 50%, hidden: token)", "mask b: random(ratio: 25%)", ...joint, decoder, ...lastOf],
  ),
  "shares that vary together": model(
    ["a", "b"],
    [
      "mask random(ratio: 25%..75%)",
      withToken("a"),
      encoder("b"),
      encoder("j", ", of: [a, b]"),
      decoder,
      ...lastOf,
      "loss uniformity(on: patches)",
    ],
  ),
  "masks that one encoder guides": model(
    ["a", "b"],
    ["mask attention_guided(ratio: 50%, random: 50%)", `encoder vit(${sizes})`, decoder, ...lastOf],
  ),
  "a mask and a target of regions": model(
    ["a", "b"],
    [
      mask,
      "mask b: regions(source: felzenszwalb(scale: 10), ratio: 50%)",
      `encoder vit(${sizes})`,
      decoder,
      "target pixels",
      "loss mse",
      target(
        "r",
        "regions(source: felzenszwalb(scale: 10), count: 3, of: [a])",
        `encoder vit(${sizes})\n decoder region_query(${sizes}, neck_depth: 1)\n loss bce`,
      ),
    ],
  ),
  "a teacher of both": model(
    ["a", "b"],
    [mask, ...joint, decoder, "target features(layers: 1)", "teacher ema", "loss smooth_l1"],
  ),
  "an adversary of both": model(
    ["a", "b"],
    [mask, ...joint, decoder, ...lastOf, "adversary patch_discriminator(balance: fixed)"],
  ),
  "decoders of two widths": model(
    ["a", "b"],
    [mask, ...joint, `decoder a: vit(${sizes})`, "decoder b: vit(depth: 1, width: 4, heads: 2)", ...lastOf],
  ),
  "losses under one mask": model(
    ["a", "b"],
    [
      "mask dirichlet(visible: 8)",
      `encoder vit(${sizes})`,
      target("a", "pixels", `${decoder}\n loss smooth_l1\n loss uniformity`),
      target("b", "pixels", `${decoder}\n loss l1`),
    ],
  ),
};

test("what is left out at random is left out of every encoder, and of heads", () => {
  const lines = (drop: string, dropout: string): string =>
    model(
      ["a", "b"],
      [
        mask,
        withToken("a", drop),
        encoder("b"),
        encoder("j", `, of: [a, b], norms: by_input${drop}`),
        decoder,
        ...lastOf,
        `head classifier(classes: 3, of: [j.a]${dropout})`,
        "loss classes: cross_entropy",
      ],
    ).replaceAll("depth: 1", "depth: 2");
  const none = computed(lines("", ""));
  const dropped = computed(lines(", drop_path: 50%", ", dropout: 50%"), undefined, "training");
  expect(dropped.program.drops?.map(({ numbers }) => numbers)).toEqual([2, 2, 2, 2, 8]);
  for (const [name, value] of Object.entries(none.terms)) expect(dropped.terms[name]).toBeCloseTo(value, 12);
});

/** The graph of the loss, of the numbers of visible tokens at both ends. */
const graphsOf = (program: ModelProgram): readonly string[] =>
  [0, -1].map((end) => {
    const counts = varyingMasks(program).map(({ name, varies }) => [name, varies.counts.at(end) as number]);
    const seen = withVisible(program, Object.fromEntries(counts));
    const g = createBuilder({ batch: 2 });
    const w = weightsOf(g, seen.parameters);
    const batch = maskedBatch(g, seen, w);
    const { total, terms } = seen.loss(g, w, batch);
    return printGraph(g.finish({ outputs: { total, ...terms, features: seen.features(g, w, batch) } }));
  });

describe("emitted modules", () => {
  const texts: string[] = [];
  const named = Object.entries(joined);
  beforeAll(async () => {
    for (const [, text] of named) texts.push(await emitModule(modelOf(text), "0"));
  });

  test("are typed", async () => {
    for (const [i, errors] of (await textErrors(texts)).entries()) expect(errors, named[i]?.[0]).toEqual([]);
  });

  test.each(named)("are the planned model: %s", async (name, text) => {
    const loaded = await loadEmitted(texts[named.findIndex(([other]) => other === name)] as string);
    expect(graphsOf(loaded)).toEqual(graphsOf(programOf(assemble(modelOf(text)))));
  });
});

test.each(Object.entries(joined))("the gradient is that of differences: %s", (_, text) => {
  expect(analyzed(text).diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
  expect(computed(text).error()).toBeLessThan(1e-6);
});
