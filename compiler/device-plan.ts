/** What each of several devices holds of a training step that they compute together. Pure arithmetic over shapes and traces. */

import { type ModelProgram, namedParameters } from "../blocks/index.js";
import { evenAxis, type Recompute, sizeOf } from "../graph/index.js";
import { isTrained, memoryPlan } from "./memory-plan.js";

export interface Devices {
  readonly count: number;
  /** Whether each holds its share of weights and moments; if not, all of them. */
  readonly shardState: boolean;
}

/** Bytes on each device, of which all hold as much. */
export interface DevicePlan extends Devices {
  /** That one device computes at once: its share, or all where they have no equal shares. */
  readonly samples: number;
  readonly weights: number;
  readonly moments: number;
  /** Gradients summed over micro-batches; 0 where there is one. */
  readonly sums: number;
  /** Activations and gradients at the fullest moment; what is gathered of a cut state comes to it. */
  readonly working: number;
  readonly total: number;
}

interface Step {
  readonly batch: number;
  readonly microBatch: number;
  /** Numbers that the optimizer keeps for each weight. */
  readonly moments: number;
  readonly recompute: Recompute;
}

export function devicePlan(program: ModelProgram, step: Step, { count, shardState }: Devices): DevicePlan {
  const { batch, microBatch, recompute } = step;
  const samples = microBatch % count === 0 ? microBatch / count : microBatch;
  const all = [...namedParameters(program.parameters)].map(([, parameter]) => {
    const shape = parameter.shape as readonly number[];
    const isCut = shardState && evenAxis(shape, count) !== -1;
    return { parameter, bytes: (4 * sizeOf(shape)) / (isCut ? count : 1) };
  });
  const bytesOf = (some: typeof all): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const trained = bytesOf(all.filter(({ parameter }) => isTrained(parameter)));
  const { working } = memoryPlan(program, {
    ...{ batch: samples, moments: step.moments, recompute, splitting: { by: "nothing" } },
    flopsOfSample: () => 0,
  });
  const parts = {
    weights: bytesOf(all),
    moments: step.moments * trained,
    sums: microBatch < batch ? trained : 0,
    working,
  };
  const { weights, moments, sums } = parts;
  return { count, shardState, samples, ...parts, total: weights + moments + sums + working };
}
