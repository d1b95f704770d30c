/** How a batch is computed on this machine: in how many parts, and what is kept for gradients. Not a matter of the recipe. */

import { availableParallelism } from "node:os";
import { divisorsBeside } from "../../blocks/index.js";
import {
  type DataMemory,
  type EngineMemory,
  lossesAcrossSamples,
  type MemoryPlan,
  type Model,
  planDevices,
  planMemory,
  type Recipe,
  type Splitting,
} from "../../compiler/index.js";
import type { Recompute } from "../../graph/index.js";
import type { ComputingDevices, Executor } from "../../runtime/index.js";
import { usageFailure } from "../words/failure.js";
import { grouped } from "../words/terminal.js";
import { engineOf, xlaOnProcessor } from "./process-memory.js";

/** What the command line says about it. */
export interface MemoryFlags {
  /** Bytes of the machine that is planned for; if absent, what this one has. */
  readonly memory?: number;
  readonly microBatch?: number;
  readonly recompute?: boolean;
  /** That compute; if absent, all of the machine. */
  readonly threads?: number;
}

/** What a run keeps, so that its continuation computes alike. */
export interface Computing {
  readonly micro_batch: number;
  readonly recompute: boolean;
  /** That compute; absent where nobody chooses, and in runs of earlier versions. */
  readonly threads?: number;
  /** Micro-batches of the recipes beside the run's own, in their order; absent where there are none. */
  readonly beside?: readonly number[];
}

/** Share of a machine's memory that the process may take: the rest is the system's and other programs'. */
const shareOfMachine = 0.7;

/** Bytes that WebAssembly can address. Of the process, Node and copies of state lie elsewhere: that much is left in reserve. */
const wasmMemory = 4 * 2 ** 30;

/** Share of a device's own memory that a step may take by its plan: what XLA needs is known only once it has compiled. */
const shareOfDevice = 0.85;

const roomOn = (backend: string, machine: number): number => {
  const room = shareOfMachine * machine;
  return backend === "wasm" ? Math.min(room, wasmMemory) : room;
};

/** Seconds that a micro-batch may take by a guess: Ctrl-C waits for the one that is computed. */
const patience = 4;

/** Matrix products that can be computed meanwhile: a core reaches 60 GFLOP/s in onnxruntime and XLA, and TensorFlow.js's one thread 5. */
function flopsIn(backend: string, threads = availableParallelism()): number {
  const rates: Readonly<Record<string, number>> = { onnx: 60e9 * threads, xla: 60e9 * threads, wasm: 5e9 };
  return patience * (rates[backend] ?? Number.POSITIVE_INFINITY);
}

/** How a batch is cut, what is kept, and what the process holds besides. */
interface Cutting {
  readonly splitting: Splitting;
  readonly recompute: Recompute;
  readonly engine?: EngineMemory;
}

export const recomputeOf = ({ recompute }: MemoryFlags): Recompute => (recompute ? "layers" : "nothing");

/**
 * For a machine with so many bytes of memory, or with as many as the flags say. Where they say how many, that alone decides.
 */
export function cutting(batch: number, flags: MemoryFlags, backend: string, machine: number): Cutting {
  const { microBatch, memory, threads } = flags;
  checkMicroBatch(batch, microBatch);
  const room: Splitting =
    memory === undefined
      ? { by: "room", bytes: roomOn(backend, machine), flops: flopsIn(backend, threads) }
      : { by: "room", bytes: shareOfMachine * memory };
  const engine = engineOf(backend);
  return {
    splitting: microBatch === undefined ? room : { by: "size", samples: microBatch },
    recompute: recomputeOf(flags),
    ...(engine ? { engine } : {}),
  };
}

/**
 * The same for devices. Where they have memory of their own, `memory` of the flags is that of one. A batch is not cut where the memory is not
 * known.
 */
export function cuttingOn(
  { count, memory: known, inMachine }: Pick<ComputingDevices, "count" | "memory" | "inMachine">,
  batch: number,
  flags: MemoryFlags,
): Cutting {
  const { microBatch } = flags;
  checkMicroBatch(batch, microBatch);
  const recompute = recomputeOf(flags);
  const engine = inMachine ? { engine: xlaOnProcessor } : {};
  if (microBatch !== undefined) return { splitting: { by: "size", samples: microBatch }, recompute, ...engine };
  const memory = flags.memory === undefined ? known : flags.memory / (inMachine ? count : 1);
  if (memory === null) return { splitting: { by: "nothing" }, recompute };
  const bytes = (inMachine ? shareOfMachine : shareOfDevice) * memory;
  const limit = inMachine && flags.memory === undefined ? { flops: flopsIn("xla") } : {};
  return { splitting: { by: "room", bytes, ...limit }, recompute, ...engine };
}

/** Throws a usage failure where a batch has no parts of that size. */
export function checkMicroBatch(batch: number, microBatch: number | undefined): void {
  if (microBatch === undefined || batch % microBatch === 0) return;
  throw usageFailure(`a batch of ${batch} cannot be cut into micro-batches of ${microBatch}`, {
    help: `nearest sizes that divide it: ${divisorsBeside(batch, microBatch).join(" and ")}`,
  });
}

/** How a run is computed: as the flags say, as it was begun, or so that it fits into the memory of the machine and gives way soon enough. */
export async function computingOf(
  {
    model,
    recipe,
    batch,
    data,
  }: { readonly model: Model; readonly recipe: Recipe; readonly batch: number; readonly data: DataMemory },
  flags: MemoryFlags,
  { backend, threads, devices }: Executor,
  before: Computing | null,
  note: (text: string) => void,
): Promise<Computing> {
  const by = threads === undefined ? {} : { threads };
  const recompute = flags.recompute ?? before?.recompute ?? false;
  // With another number of hosts, each may have another share of a batch.
  const kept = before && batch % before.micro_batch === 0 ? before.micro_batch : undefined;
  const asBefore = flags.memory === undefined ? kept : undefined;
  const isPlanned = engineOf(backend) !== undefined || devices !== undefined;
  const size = flags.microBatch ?? asBefore ?? (isPlanned ? undefined : batch);
  const wanted = size === undefined ? { ...flags, recompute } : { ...flags, recompute, microBatch: size };
  if (size === batch) return { micro_batch: batch, recompute, ...by };
  const { machineMemory } = await import("../../runtime/index.js");
  const plan = devices
    ? planDevices(model, devices, { recipe, batch, data, ...cuttingOn(devices, batch, wanted) })
    : planMemory(model, { recipe, batch, data, ...cutting(batch, wanted, backend, machineMemory()) });
  if (plan.microBatch < batch) for (const text of splittingNotes(model, plan)) note(text);
  return { micro_batch: plan.microBatch, recompute, ...by };
}

/** A plan of a process, or of each of several devices. */
type Parts = Pick<MemoryPlan, "batch" | "microBatch" | "bound" | "room" | "total">;

/** What a reader should know of a batch that is cut. */
export function splittingNotes(model: Model, plan: Parts): string[] {
  const parts = plan.batch / plan.microBatch;
  const isTooLarge = plan.room !== null && plan.total > plan.room;
  const why = plan.bound === null || isTooLarge ? "" : `, so that ${boundText[plan.bound]}`;
  const across = lossesAcrossSamples(model);
  return [
    `a batch of ${grouped(plan.batch)} is computed as ${grouped(parts)} micro-batches of ${grouped(plan.microBatch)}${why}`,
    ...across.map((name) => `${name} compares samples: here those of a micro-batch, not all of the batch`),
    ...tooLargeNotes(plan),
  ];
}

const boundText = {
  memory: "a step fits into memory",
  time: `Ctrl-C need not wait longer than about ${patience} seconds`,
} as const;

const tooLargeNotes = ({ microBatch, room, total }: Parts): readonly string[] => {
  if (room === null || total <= room) return [];
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const what = microBatch === 1 ? "one sample" : `${grouped(microBatch)} samples`;
  return [`even ${what} at once: about ${gib(total)} of memory, of which there are ${gib(room)}`];
};
