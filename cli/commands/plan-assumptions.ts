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
import { checkShardState } from "../machine/backend.js";
import { readRates } from "../machine/measured-rate.js";
import { cutting, cuttingOn, type MemoryFlags } from "../machine/micro-batches.js";
import { dataMemory, type MeasuredBackend } from "../machine/process-memory.js";
import { usageFailure } from "../words/failure.js";

export interface PlanOptions extends MemoryFlags {
  readonly json?: boolean;
  readonly batch?: number;
  /** In the data: one number, or one for each recipe that is planned. */
  readonly samples?: readonly number[];
  readonly config?: string;
  /** On so many together, by the backend xla; if absent, in one process. */
  readonly devices?: number;
  readonly shardState?: boolean;
  /** What is to train it. */
  readonly backend: MeasuredBackend;
  /** Print the graphs of a step instead; a name: the graph after that pass. */
  readonly graph?: string | true;
}

/** What is asked of a plan of one recipe. */
export interface PlanOfOne extends Omit<PlanOptions, "samples"> {
  readonly samples?: number;
}

/**
 * What is asked of each of `count` recipes.
 *
 * Throws a `Failure` where there are other numbers of samples than recipes.
 */
export function optionsOfEach(
  count: number,
  { samples = [], ...options }: PlanOptions,
): readonly [PlanOfOne, ...PlanOfOne[]] {
  if (samples.length > 1 && samples.length !== count) {
    throw usageFailure(
      `--samples has ${samples.length} numbers, and ${count === 1 ? "one is" : `${count} are`} planned`,
      {
        help:
          count === 1 ? "write one" : "write one for all, or one for each in the order in which mae plan shows them",
      },
    );
  }
  const of = (i: number): PlanOfOne => {
    const own = samples[samples.length === 1 ? 0 : i];
    return own === undefined ? options : { ...options, samples: own };
  };
  return [of(0), ...Array.from({ length: count - 1 }, (_, i) => of(i + 1))];
}

/** Throws a `RunError` where the data are fewer than a batch. */
export async function assumptionsOf(model: Model, recipe: Recipe | null, options: PlanOfOne): Promise<Assumptions> {
  checkShardState(options);
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
    ...(await cuttingOf(batch, options)),
    ...(recipe && options.devices === undefined ? { data: await dataMemory(model, recipe, index) } : {}),
    ...(samples === null ? {} : { samples }),
    rates: readRates(),
  };
}

/** How a batch is cut. The memory of devices is not known here: on them a batch is cut only as the options say. */
async function cuttingOf(batch: number, options: PlanOfOne): Promise<Partial<Assumptions>> {
  const { devices: count, shardState = false, backend } = options;
  if (count === undefined) {
    const { machineMemory } = await import("../../runtime/index.js");
    return cutting(batch, options, backend, machineMemory());
  }
  const devices = { count, shardState };
  return { ...cuttingOn({ count, memory: null, inMachine: false }, batch, options), devices };
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
