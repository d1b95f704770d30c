/**
 * A process of its own on WebGPU without any driver: Dawn's device that takes commands and computes nothing, in at most
 * 512 MB. Prints how often a training step dispatches each shader, as JSON: of ViT-B's depths, and of one block with
 * other ways to train.
 */

import { create, globals } from "webgpu";
import { arrayTypes, sizeOf, type Values } from "../../../graph/index.js";
import { openExecutorOn } from "../../../runtime/executors/tfjs/engine.js";
import { webgpuThrough } from "../../../runtime/executors/tfjs/webgpu.js";
import { startingState, trainingStep } from "../../../runtime/train/step.js";
import { initialWeights } from "../../../runtime/train/weights.js";
import { bound } from "../../support/data.js";
import { maeText, programOfText } from "../../support/model.js";

type Counts = Record<string, number>;

const narrow = maeText.replace("width: 768", "width: 192").replace("width: 512", "width: 128");
const shallow = narrow.replace("depth: 12", "depth: 1").replace("depth: 8", "depth: 1");
const taught = `edition 2026

model Taught {
  input   image(size: 64x64, channels: 3)
  tokens  patch(size: 8x8)
  mask    multi_block
  encoder vit(depth: 1, width: 64, heads: 4, class_token: false)
  decoder block_vit(depth: 1, width: 32, heads: 4)
  target  features(layers: 1, final_norm: true)
  loss    smooth_l1
  teacher ema(momentum: 0.99 -> 1.0 over 100%)
}
`;
const adamw = bound("optimizer", "adamw", { lr: { value: 1.5e-4, per: null }, weight_decay: 0.05 });

const steps = {
  "vit-b": [narrow, { optimizer: adamw }],
  adamw: [shallow, { optimizer: adamw }],
  clipped: [shallow, { optimizer: adamw, clip: 1 }],
  averaged: [shallow, { optimizer: adamw, average: 0.999 }],
  taught: [taught, { optimizer: adamw }],
  summed: [shallow, { optimizer: adamw, clip: 1, microBatch: 1 }],
  "layer-decay": [
    shallow,
    { optimizer: bound("optimizer", "adamw", { lr: { value: 1e-3, per: null }, layer_decay: 0.75 }) },
  ],
  lion: [shallow, { optimizer: bound("optimizer", "lion", { lr: { value: 1e-4, per: null }, weight_decay: 0.1 }) }],
  lars: [shallow, { optimizer: bound("optimizer", "lars", { lr: { value: 1, per: null }, weight_decay: 1e-4 }) }],
} as const;

Object.assign(globalThis, globals);
const executor = await openExecutorOn(
  webgpuThrough(
    async () => {
      Object.defineProperty(globalThis, "navigator", { value: { gpu: create(["backend=null"]) }, configurable: true });
    },
    () => {},
  ),
);

let counts: Counts = {};
let label = "";
const passes = GPUComputePassEncoder.prototype;
const { setPipeline, dispatchWorkgroups } = passes;
passes.setPipeline = function (pipeline) {
  ({ label } = pipeline);
  return setPipeline.call(this, pipeline);
};
passes.dispatchWorkgroups = function (...sizes) {
  counts[label] = (counts[label] ?? 0) + 1;
  return dispatchWorkgroups.apply(this, sizes);
};

/** What the second step dispatches, which finds the state where the first has laid it. */
async function countStep([text, settings]: (typeof steps)[keyof typeof steps]): Promise<Counts> {
  const program = programOfText(text);
  const { phases, slots, sums } = trainingStep(program, { batch: 2, clip: null, ...settings });
  const session = await executor.open(
    [...slots, ...sums],
    startingState([...slots, ...sums], initialWeights(program.parameters, 0)),
  );
  const runs = await Promise.all(
    phases.map(async ({ graph }) => {
      const run = await session.load(graph);
      const feeds: Values = Object.fromEntries(
        [...graph.feeds].map(([name, { shape, dtype }]) => [name, new arrayTypes[dtype](sizeOf(shape))]),
      );
      return () => run(feeds);
    }),
  );
  for (const run of runs) await run();
  counts = {};
  for (const run of runs) await run();
  const counted = counts;
  counts = {};
  await session.close();
  return counted;
}

const found: Record<string, Counts> = {};
for (const [name, step] of Object.entries(steps)) found[name] = await countStep(step);
await executor.close();
console.log(JSON.stringify(found));
