/** Masks that a model decides itself: whose encoder looks, what they ask for, and orders that hide exactly as many, whatever the features are. */

import { expect, test } from "vitest";
import { maskedBatch, namedParameters, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { createBuilder, evaluate, randomStream, type Tensor } from "../../graph/index.js";
import { analyzed } from "../support/model.js";

const text = (mask: string, encoder = "vit(depth: 2, width: 8, heads: 2)") => `edition 2026

model Guided {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  mask    ${mask}
  encoder ${encoder}
  decoder linear
  target  features(layers: 1)
  loss    smooth_l1
  teacher ema
}
`;

/** The order that a mask decides of one batch, with other weights for the encoder than for its teacher; `flat`: all images are one grey. */
function orderBy(mask: string, seeds: { readonly encoder: number; readonly teacher: number }, flat = false) {
  const { models, diagnostics } = analyzed(text(mask));
  expect(diagnostics).toEqual([]);
  const [model] = models.values();
  if (!model) throw new Error("no model");
  const program = programOf(assemble(model));
  const g = createBuilder({ batch: 2, training: true });
  const weights = weightsOf(g, program.parameters);
  const batch = maskedBatch(g, program, weights);
  const graph = g.finish({ outputs: { restore: batch.restore as Tensor } });
  const state: Record<string, Float32Array> = {};
  for (const [name, { shape }] of namedParameters(program.parameters)) {
    const isTeachers = name.startsWith("teacher.");
    const own = isTeachers ? name.slice("teacher.".length) : name;
    const random = randomStream(isTeachers ? seeds.teacher : seeds.encoder, "probe", own.length);
    const count = shape.map(Number).reduce((product, n) => product * n, 1);
    state[name] = Float32Array.from({ length: count }, () => random.uniform() - 0.5);
  }
  const random = randomStream(5, "probe");
  const feeds = Object.fromEntries(
    [...graph.feeds].map(([name, { shape, dtype }]) => {
      const sizes = shape.map(Number);
      const count = sizes.reduce((product, n) => product * n, 1);
      if (name === "chance") return [name, Float32Array.of(0)];
      if (dtype === "int32")
        return [name, Int32Array.from({ length: count }, (_, i) => (i * 7) % (sizes[1] as number))];
      return [name, Float32Array.from({ length: count }, () => (flat && name === "image" ? 0.5 : random.uniform()))];
    }),
  );
  return [...(evaluate(graph, feeds, state).outputs.restore as Int32Array)];
}

test("a teacher decides as an encoder of its weights would, and not as the one that is trained", () => {
  const mask = (by: string) => `class_attention(ratio: 50%, by: ${by})`;
  const byTeacher = orderBy(mask("teacher"), { encoder: 1, teacher: 2 });
  expect(byTeacher).toEqual(orderBy(mask("encoder"), { encoder: 2, teacher: 1 }));
  expect(byTeacher).not.toEqual(orderBy(mask("encoder"), { encoder: 1, teacher: 2 }));
});

test.each([
  "self_guided(ratio: 60%, hints: 40%)",
  "self_guided(ratio: 60%, cut: principal)",
  "semantic_parts(ratio: 60%, parts: 3)",
  "semantic_whole(ratio: 60%, parts: 3)",
  "class_attention(ratio: 60%, hide: least)",
])("%s gives each patch one place, of an image without anything on it too", (mask) => {
  for (const flat of [false, true]) {
    const restore = orderBy(mask, { encoder: 1, teacher: 1 }, flat);
    for (const sample of [restore.slice(0, 16), restore.slice(16)])
      expect([...sample].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  }
});

test.each([
  [
    text("class_attention(ratio: 50%)", "vit(depth: 2, width: 8, heads: 2, class_token: false)"),
    "mask/class_attention/class-token: it asks what the class token attends to, and the encoder has none",
  ],
  [
    text("self_guided(ratio: 50%, layer: 3)"),
    "mask/self_guided/has-the-layer: layer 3 from the last, in an encoder that has 2",
  ],
  [text("semantic_parts(ratio: 50%, parts: 16)"), "mask/semantic_parts/fewer-parts: 16 parts of 16 patches"],
  [
    text("class_attention(ratio: 50%, by: teacher)")
      .replace("target  features(layers: 1)", "target  pixels")
      .replace("  teacher ema\n", ""),
    "check/unreadable-source: a teacher decides what the mask `class_attention` hides, and the model has none that follows its encoder",
  ],
])("%s", (written, message) => {
  const { diagnostics } = analyzed(written);
  expect(diagnostics.map(({ code, message: said }) => `${code}: ${said}`)).toEqual([message]);
});
