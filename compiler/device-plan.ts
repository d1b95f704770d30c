/** What each of several devices holds of a training step that they compute together. Pure arithmetic over shapes and traces. */

import { type ModelProgram, namedParameters } from "../blocks/index.js";
import { evenAxis, simplify, sizeOf } from "../graph/index.js";
import {
  countWeights,
  engineBytes,
  fitted,
  isTrained,
  type MemoryOptions,
  type MemoryPlan,
  madeBesideGradients,
} from "./memory-plan.js";
import { trainingGraphs } from "./training-graphs.js";

export interface Devices {
  readonly count: number;
  /** Whether each holds its share of weights and moments; if not, all of them. */
  readonly shardState: boolean;
}

/** Bytes on each device, of which all hold as much. */
export interface DevicePlan extends Devices, Pick<MemoryPlan, "batch" | "microBatch" | "recompute" | "room" | "bound"> {
  /** That one device computes at once: its share, or all where they have no equal shares. */
  readonly samples: number;
  readonly weights: number;
  readonly moments: number;
  /** Gradients summed over micro-batches; 0 where there is one. */
  readonly sums: number;
  /** What XLA is expected to hold besides at the fullest moment: activations, gradients, and what devices send each other. */
  readonly working: number;
  /** Of devices in the memory of the machine, their share of what the process holds besides; 0 on others. */
  readonly process: number;
  readonly total: number;
}

/**
 * Bytes that XLA holds for each that a step makes and keeps, in its own order and with its own fusions: 1.34 to 1.54 on its processor, for
 * models from 0.2 to 657 million weights, with layers computed again and without; with products in bfloat16 1.6.
 */
const hold = 1.4;

/** @param options `engine` is there where the devices compute in the memory of the machine, as processors do. */
export function devicePlan(program: ModelProgram, options: MemoryOptions, devices: Devices): DevicePlan {
  return fitted(options, (microBatch) => stepOn(program, options, devices, microBatch), devices.count);
}

function stepOn(program: ModelProgram, options: MemoryOptions, devices: Devices, microBatch: number): DevicePlan {
  const { batch, recompute, engine, data } = options;
  const { count, shardState } = devices;
  const all = [...namedParameters(program.parameters)].map(([, parameter]) => {
    const shape = parameter.shape as readonly number[];
    const isCut = shardState && evenAxis(shape, count) !== -1;
    return { parameter, bytes: (4 * sizeOf(shape)) / (isCut ? count : 1) };
  });
  const bytesOf = (some: typeof all): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const trained = bytesOf(all.filter(({ parameter }) => isTrained(parameter)));
  const samples = microBatch % count === 0 ? microBatch / count : microBatch;
  const moments = options.moments * trained;
  const whole = 4 * countWeights(program.parameters);
  const held = engine ? engineBytes(engine, { weights: whole, moments, made: 0 }) : 0;
  const read = data ? data.fixed + microBatch * data.perSample : 0;
  const parts = {
    weights: bytesOf(all),
    moments,
    sums: microBatch < batch ? trained : 0,
    working: workingOn(program, samples, options, devices),
    process: Math.round((held + read) / count),
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { count, shardState, samples, batch, microBatch, recompute, ...parts, total, room: null, bound: null };
}

function workingOn(
  program: ModelProgram,
  samples: number,
  { recompute }: MemoryOptions,
  { count, shardState }: Devices,
): number {
  const whole = 4 * countWeights(program.parameters);
  const graphs = trainingGraphs(program, samples, recompute).map((graph) => simplify(graph));
  const made = Math.round(hold * madeBesideGradients(graphs, whole));
  if (count === 1) return made;
  // What is cut is gathered whole. Otherwise gradients of all weights are summed at once, beside their sums.
  return shardState ? made + whole : Math.max(made, 8 * countWeights(program.parameters, isTrained));
}
