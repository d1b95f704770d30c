/** What a plan of a model goes by: its recipe's data, the machine, and what the command line says. */

import type { SampleIndex } from "../../blocks/index.js";
import {
  type PlanOptions as Assumptions,
  arraysOf,
  type Model,
  type Recipe,
  repeatOf,
  settingsOf,
  trainingOf,
} from "../../compiler/index.js";
import { readRates } from "../machine/measured-rate.js";
import { cutting, type MemoryFlags } from "../machine/micro-batches.js";
import { dataMemory, type MeasuredBackend } from "../machine/process-memory.js";

export interface PlanOptions extends MemoryFlags {
  readonly json?: boolean;
  readonly batch?: number;
  readonly samples?: number;
  readonly config?: string;
  /** What is to train it. */
  readonly backend: MeasuredBackend;
  /** Print the graphs of a step instead; a name: the graph after that pass. */
  readonly graph?: string | true;
}

/** Throws a `RunError` where the data are fewer than a batch. */
export async function assumptionsOf(model: Model, recipe: Recipe | null, options: PlanOptions): Promise<Assumptions> {
  const index = recipe ? await openedData(model, recipe) : null;
  const samples = options.samples ?? index?.length ?? null;
  const batch = options.batch ?? (recipe ? settingsOf(recipe).batch : 1);
  if (samples !== null) {
    const { lengthOf } = await import("../../runtime/index.js");
    lengthOf({ batch, repeat: recipe ? repeatOf(recipe) : 1, epochs: null, steps: 1 }, samples);
  }
  return {
    ...(recipe ? { recipe } : {}),
    batch,
    ...cutting(batch, options, options.backend),
    ...(recipe ? { data: await dataMemory(model, recipe, index) } : {}),
    ...(samples === null ? {} : { samples }),
    rates: readRates(),
  };
}

/** A recipe's data; null when it is not here, which is no mistake before training. */
async function openedData(model: Model, recipe: Recipe): Promise<SampleIndex | null> {
  const { openData, RunError } = await import("../../runtime/index.js");
  try {
    return await openData(trainingOf(recipe).data, "train", process.cwd(), { arrays: arraysOf(model) });
  } catch (error) {
    if (error instanceof RunError) return null;
    throw error;
  }
}
