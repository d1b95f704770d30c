/** Masks whose number of visible tokens varies: one module for all of them, with `number` where sizes follow it. */

import { describe, expect, test } from "vitest";
import { type ModelProgram, maskedBatch, weightsOf, withVisible } from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { emitModule } from "../../../compiler/emit/index.js";
import { plan } from "../../../compiler/index.js";
import { createBuilder, printGraph } from "../../../graph/index.js";
import { loadEmitted, textErrors } from "../../support/emitted.js";
import { modelOf } from "../../support/model.js";
import { maskOf } from "../../support/one-array.js";

const mae = `decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)`;

const cases: Readonly<Record<string, readonly [mask: string, rest: string]>> = {
  "drawn, for a whole batch": ["random(ratio: 50%..90%, share: batch)", mae],
  "moving, and guided": ["attention_guided(ratio: 60% -> 90% over 10 epochs)", mae],
  "with tokens for hidden patches and a loss on the latent": [
    "block(ratio: 50%..90%)",
    "decoder linear\n  target  pixels\n  loss    mse(on: all)\n  loss    uniformity",
  ],
  "with a loss on the latent of visible patches": [
    "random(ratio: 50%..90%)",
    `${mae}\n  loss    uniformity(on: patches)`,
  ],
  "with an adversary": ["spiral(ratio: 50%..90%)", `${mae}\n  adversary patch_discriminator`],
  "with a teacher": [
    "random(ratio: 50%..90%)",
    "decoder linear\n  target  features(layers: 2)\n  loss    smooth_l1\n  teacher ema",
  ],
  "with a target that is encoded": [
    "random(ratio: 50%..90%)",
    `${mae}
  target  region: regions(source: felzenszwalb(scale: (50, 200)), count: 3) {
    encoder vit(depth: 1, width: 12, heads: 3, class_token: false)
    decoder region_query(depth: 1, width: 8, heads: 2, neck_depth: 1)
    loss    bce
  }
  target  apart: regions(source: felzenszwalb(scale: (50, 200)), count: 3) {
    encoder vit(depth: 1, width: 12, heads: 3)
    decoder region_vit(depth: 1, width: 8, heads: 2, neck_depth: 1)
    loss    bce
  }`,
  ],
};

const graphOf = (program: ModelProgram): string => {
  const g = createBuilder({ batch: 2 });
  const w = weightsOf(g, program.parameters);
  const batch = maskedBatch(g, program, w);
  const { terms } = program.loss(g, w, batch);
  return printGraph(g.finish({ outputs: { ...terms, ...program.adversary?.loss(g, w, batch).terms } }));
};

const emitted = await Promise.all(
  Object.entries(cases).map(async ([name, [mask, rest]]) => {
    const model = modelOf(`edition 2026
model Varying {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  mask    ${mask}
  encoder vit(depth: 2, width: 24, heads: 4)
  ${rest}
}`);
    return { name, model, text: await emitModule(model, "0.0.0-test") };
  }),
);

test("the modules are typed", async () => {
  for (const [i, errors] of (await textErrors(emitted.map(({ text }) => text))).entries()) {
    expect(errors, emitted[i]?.name).toEqual([]);
  }
});

describe.each(emitted)("$name", ({ model, text }) => {
  test("the module is for each number the model that was planned", async () => {
    expect(text).toContain('Tensor<["B", number, 24]>');
    const [loaded, planned] = [await loadEmitted(text), programOf(assemble(model))];
    const counts = maskOf(planned).varies?.counts ?? [];
    expect(counts.length).toBeGreaterThan(2);
    expect(maskOf(loaded).varies?.counts).toEqual(counts);
    expect(maskOf(loaded).shared).toBe(maskOf(planned).shared);
    for (const count of counts) {
      expect(graphOf(withVisible(loaded, { image: count }))).toBe(graphOf(withVisible(planned, { image: count })));
    }
  });
});

test("a plan counts batches with the most visible tokens, and says how few there can be", () => {
  const [mask, rest] = cases["drawn, for a whole batch"] ?? ["", ""];
  const spec = (ratio: string) => `edition 2026
model Varying {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  mask    ${mask.replace("50%..90%", ratio)}
  encoder vit(depth: 2, width: 24, heads: 4)
  ${rest}
}`;
  const [varying, most] = [plan(modelOf(spec("50%..90%"))), plan(modelOf(spec("50%")))];
  expect(varying.tokens).toEqual({ total: 16, visible: 8, hidden: 8, fewest: 1 });
  expect({ ...varying, tokens: null }).toEqual({ ...most, tokens: null });
});
