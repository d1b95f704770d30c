/** What a model of several inputs can be asked for by name. */

import { expect, test } from "vitest";
import { arrayInputs, outputNames, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { createBuilder, evaluate } from "../../graph/index.js";
import { encoderReader, initialWeights } from "../../runtime/index.js";
import { modelOf } from "../support/model.js";
import { executor } from "./evaluate/model.js";

const program = programOf(
  assemble(
    modelOf(`edition 2026

model Pair {
  input     left:  image(size: 8x8, channels: 1)
  input     right: image(size: 4x8, channels: 1)
  tokens    patch(size: 2x2)
  positions sin_cos(and: input)
  mask      random(ratio: 50%)
  encoder   left:  vit(depth: 1, width: 8, heads: 2, class_token: false)
  encoder   joint: vit(depth: 1, width: 8, heads: 2, norms: by_input, of: [left, right])
  decoder   vit(depth: 1, width: 8, heads: 2)
  target    pixels(normalize: none)
  loss      mse(on: hidden)
}`),
  ),
);
const weights = initialWeights(program.parameters, 3);
const arrays = {
  left: Float32Array.from({ length: 2 * 64 }, (_, i) => Math.sin(i)),
  right: Float32Array.from({ length: 2 * 32 }, (_, i) => Math.cos(i)),
};

test("its encoders are named by their labels, and by the inputs of which they see one alone", () => {
  expect(outputNames(program)).toEqual(["features", "left", "joint.left", "joint.right", "joint", "prediction"]);
});

test("features of one output read what that output reads, and are those of the graph", async () => {
  const selections = [
    { of: "joint.right", pool: "mean", layer: "last" },
    { of: "left", pool: "mean", layer: "last" },
    { pool: "cls", layer: "last" },
  ] as const;
  const reader = await encoderReader({ program, weights }, await executor(), selections, 2);
  const read = (values: typeof arrays) => reader.read({ arrays: values, labels: new Int32Array(2), count: 2 });
  const [right, left, all] = await read(arrays);
  const other = await read({ ...arrays, left: arrays.left.map((value) => value + 1) });
  expect(other[0]).toEqual(right);
  expect(other[1]).not.toEqual(left);
  expect(other[2]).not.toEqual(all);
  const g = createBuilder({ batch: 2 });
  const encoding = program.encodings?.["joint.right"];
  const tokens = encoding?.features(g, weightsOf(g, program.parameters), arrayInputs(g, program));
  expect(tokens?.shape).toEqual([2, 1 + 8, 8]);
  const graph = g.finish({ outputs: tokens ? { mean: g.mean(g.slice(tokens, [0, 1, 0], [2, 8, 8]), [1]) } : {} });
  const exact = evaluate(graph, arrays, weights).outputs.mean ?? [];
  for (const [i, value] of exact.entries()) expect(right?.[i]).toBeCloseTo(value, 5);
  await reader.close();
});

test("a name that is no output, and a layer of one that has none to choose from, are refused", async () => {
  const open = async (selection: object) =>
    encoderReader({ program, weights }, await executor(), [{ pool: "mean", layer: "last", ...selection }], 2);
  await expect(open({ of: "toString" })).rejects.toMatchObject({ code: "run/features" });
  await expect(open({ of: "left", layer: 1 })).rejects.toMatchObject({ code: "run/features" });
  await expect(open({ of: "left", pool: "cls" })).rejects.toMatchObject({ code: "run/features" });
});
