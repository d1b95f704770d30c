/** Into how many micro-batches a batch is cut: for memory, so that Ctrl-C need not wait, and when it stays whole. */

import { expect, it } from "vitest";
import { costOf, planMemory } from "../../compiler/index.js";
import { modelOf } from "../support/model.js";

const modelWith = (line: string) =>
  modelOf(`
edition 2026
model Small {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels
  loss    mse
${line}}
`);

const plain = modelWith("");
const plenty = 2 ** 40;
const each = costOf(plain).flops.training;

it("no micro-batch takes more operations than it may, and each is a part of the batch", () => {
  const planned = (flops: number) => planMemory(plain, { batch: 12, splitting: { by: "room", bytes: plenty, flops } });
  expect(planned(12 * each)).toMatchObject({ microBatch: 12, sums: 0, bound: null });
  expect(planned(11.9 * each)).toMatchObject({ microBatch: 6, bound: "time" });
  expect(planned(5 * each)).toMatchObject({ microBatch: 4, bound: "time" });
  expect(planned(0.5 * each)).toMatchObject({ microBatch: 1, bound: "time" });
});

it("memory may ask for smaller ones still", () => {
  const splitting = { by: "room", flops: 6 * each } as const;
  const { total } = planMemory(plain, { batch: 12, splitting: { by: "size", samples: 3 } });
  expect(planMemory(plain, { batch: 12, splitting: { ...splitting, bytes: total } })).toMatchObject({
    microBatch: 3,
    bound: "memory",
    room: total,
  });
});

it.each([
  ["a loss that compares samples", "  loss    uniformity(weight: 0.01)\n"],
  ["an adversary", "  adversary patch_discriminator\n"],
])("with %s, a batch is not cut for time", (_, line) => {
  const splitting = { by: "room", bytes: plenty, flops: each } as const;
  expect(planMemory(modelWith(line), { batch: 12, splitting })).toMatchObject({ microBatch: 12, bound: null });
});
