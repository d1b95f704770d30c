/**
 * What a training process needs of memory beside a model's tensors: the engine's part, as `npm run bench -- --memory` measured it, and
 * the data's. Kept here so that `mae plan`, and the choice of micro-batches by `mae train`, go by the same numbers.
 */

import { availableParallelism } from "node:os";
import type { SampleIndex } from "../../blocks/index.js";
import {
  assemble,
  type DataMemory,
  type EngineMemory,
  type Model,
  programOf,
  type Recipe,
  trainingOf,
} from "../../compiler/index.js";
import type { measuredBackends } from "../options.js";

export type MeasuredBackend = (typeof measuredBackends)[number];

/** Fitted to the peaks of five models, from 0.3 to 112 million weights: docs/performance.md has them beside what is planned. */
export const engines: Readonly<Record<MeasuredBackend, EngineMemory>> = {
  // onnxruntime takes blocks of powers of two, in which a step's tensors seldom fit without gaps.
  onnx: { own: 260e6, garbage: 50e6, gradients: "placed", updates: "in place", hold: 1.4, recipes: "apart" },
  // TensorFlow.js computes in one memory that only grows.
  wasm: { own: 200e6, garbage: 50e6, gradients: "passing", updates: "beside", hold: 1.3, recipes: "together" },
};

/** Of XLA's plugin for processors, with what its compiler leaves, by the peaks of digits and of ViT-H/14; what a step makes is planned by device. */
export const xlaOnProcessor: EngineMemory = {
  ...{ own: 900e6, garbage: 50e6, gradients: "passing", updates: "in place", hold: 1, recipes: "together" },
};

/** The engine of a backend in the machine's memory; plain JavaScript is taken for the one that is most like it. */
export const engineOf = (backend: string): EngineMemory | undefined =>
  backend === "cpu" ? engines.wasm : engines[backend as MeasuredBackend];

/** Threads that decode and augment images when nobody says. */
export const defaultWorkers = (): number => Math.max(1, Math.min(8, availableParallelism() - 1));

/** What the data of a model needs; `index` null: it is not here. */
export async function dataMemory(
  model: Model,
  recipe: Recipe,
  index: SampleIndex | null,
  workers: number = defaultWorkers(),
): Promise<DataMemory> {
  const { dataNeeds } = await import("../../runtime/index.js");
  const program = programOf(assemble(model));
  return dataNeeds({
    index,
    arrays: program.arrays,
    ...(program.views ? { streams: program.views } : {}),
    fields: program.fields ?? {},
    augment: trainingOf(recipe).augment,
    workers,
  });
}
