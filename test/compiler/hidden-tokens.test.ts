/** What enters the encoder in place of hidden tokens, as a mask says it. */

import { expect, test } from "vitest";
import { maskedBatch, namedParameters, parameterShapes, predictOf, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { createBuilder, evaluate, randomStream, sizeOf } from "../../graph/index.js";
import { sampleMasks } from "../../runtime/index.js";
import { modelOf } from "../support/model.js";

const spec = (hidden: string, decoder: string): string => `edition 2026

model Tiny {
  input   image(size: 8x8, channels: 1)
  tokens  patch(size: 2x2)
  mask    random(ratio: 50%${hidden})
  encoder vit(depth: 1, width: 8, heads: 2)
  decoder ${decoder}
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}`;

/** Prediction and loss for random weights, the same for weights of one name; the learned token is zero. */
function computed(hidden: string, decoder: string): readonly number[] {
  const program = programOf(assemble(modelOf(spec(hidden, decoder))));
  const g = createBuilder({ batch: 2 });
  const w = weightsOf(g, program.parameters);
  const batch = maskedBatch(g, program, w);
  const graph = g.finish({
    outputs: { prediction: predictOf(program)(g, w, batch), total: program.loss(g, w, batch).total },
  });
  const draw = (name: string, count: number): Float64Array => {
    const random = randomStream(
      [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0),
      "probe",
    );
    return Float64Array.from({ length: count }, () => (name === "mask_token" ? 0 : random.normal() / 4));
  };
  const state = Object.fromEntries(
    [...parameterShapes(program.parameters)].map(([name, shape]) => [name, draw(name, sizeOf(shape))]),
  );
  const masks = sampleMasks(program, 1, 0, Int32Array.of(3, 4));
  const feeds = { image: draw("image", 128), ...masks };
  const used = Object.fromEntries([...graph.feeds.keys()].map((name) => [name, feeds[name as "image"]]));
  const { prediction, total } = evaluate(graph, used, state).outputs;
  return [...(prediction ?? []), ...(total ?? [])];
}

const vit = "vit(depth: 1, width: 8, heads: 2)";

test("zeros are what a learned token is that is zero, and another decoder reads them as well", () => {
  for (const decoder of ["linear", vit]) {
    const zeros = computed(", hidden: zero", decoder);
    expect(zeros.every(Number.isFinite)).toBe(true);
    expect(computed(", hidden: token", decoder)).toEqual(zeros);
  }
});

test("a decoder says what enters where the mask does not", () => {
  expect(computed("", "linear")).toEqual(computed(", hidden: token", "linear"));
  expect(computed("", vit)).toEqual(computed(", hidden: drop", vit));
  const names = (hidden: string): readonly string[] =>
    [...namedParameters(assemble(modelOf(spec(hidden, vit))).parameters)].map(([name]) => name);
  expect(names(", hidden: zero")).not.toContain("mask_token");
  expect(names("")).toContain("mask_token");
});
