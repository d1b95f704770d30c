/**
 * A process of its own on WebGPU without any driver: Dawn's device that takes commands and computes nothing, in at most
 * 512 MB. Prints how often a training step of ViT-B's depths dispatches each shader, as JSON.
 */

import { create, globals } from "webgpu";
import { arrayTypes, sizeOf, type Values } from "../../../graph/index.js";
import { openExecutorOn } from "../../../runtime/executors/tfjs/engine.js";
import { webgpuThrough } from "../../../runtime/executors/tfjs/webgpu.js";
import { startingState, trainingStep } from "../../../runtime/train/step.js";
import { initialWeights } from "../../../runtime/train/weights.js";
import { bound } from "../../support/data.js";
import { maeText, programOfText } from "../../support/model.js";

const program = programOfText(maeText.replace("width: 768", "width: 192").replace("width: 512", "width: 128"));
const optimizer = bound("optimizer", "adamw", { lr: { value: 1.5e-4, per: null }, weight_decay: 0.05 });
const { phases, slots } = trainingStep(program, { batch: 2, clip: null, optimizer });
const [phase] = phases;
if (!phase) throw new Error("a step has a phase");

Object.assign(globalThis, globals);
const executor = await openExecutorOn(
  webgpuThrough(
    async () => {
      Object.defineProperty(globalThis, "navigator", { value: { gpu: create(["backend=null"]) }, configurable: true });
    },
    () => {},
  ),
);
const session = await executor.open(slots, startingState(slots, initialWeights(program.parameters, 0)));
const run = await session.load(phase.graph);
const feeds: Values = Object.fromEntries(
  [...phase.graph.feeds].map(([name, { shape, dtype }]) => [name, new arrayTypes[dtype](sizeOf(shape))]),
);
await run(feeds);

const counts: Record<string, number> = {};
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
// The second step finds the state where the first has laid it.
await run(feeds);
await session.close();
await executor.close();
console.log(JSON.stringify(counts));
