/** How many dispatches a training step on WebGPU takes, each of which costs the processor some 30 microseconds. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleForNode, removeBundle } from "../../support/bundle.js";

type Counts = Readonly<Record<string, number>>;

let module: string;
let steps: Readonly<Record<string, Counts>>;

beforeAll(async () => {
  module = await bundleForNode("runtime/executors/dispatches-in-node.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [module]);
  steps = JSON.parse(stdout);
}, 120_000);
afterAll(() => removeBundle(module));

const all = (counts: Counts = {}): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Shaders that go through all parameters at once. */
const flat = ({ update, sum, sums, total }: Counts = {}) => ({ update, sum, sums, total });

it("dispatches a step of ViT-B at most 600 times, its optimizer twice", () => {
  // One for weights that decay, one for the rest.
  expect(flat(steps["vit-b"])).toEqual({ update: 2 });
  expect(all(steps["vit-b"])).toBeLessThanOrEqual(600);
});

it.each([
  ["clipped", { update: 2, sum: 1, sums: 1, total: 1 }],
  ["averaged", { update: 3 }],
  ["layer-decay", { update: 4 }],
  ["lion", { update: 2 }],
  ["lars", { update: 2, sum: 2, sums: 2 }],
])("goes through the parameters of a step %s a few times, however many they are", (name, expected) => {
  expect(flat(steps[name])).toEqual(expected);
  expect(all(steps[name]) - all(steps.adamw)).toBeLessThanOrEqual(4);
});

it("moves a teacher in one dispatch, and clips sums of micro-batches as gradients", () => {
  expect(flat(steps.taught)).toEqual({ update: 3 });
  expect(flat(steps.summed)).toEqual({ update: 3, sum: 1, sums: 1, total: 1 });
});
