/** How a batch is computed on this machine: in how many parts, and what is kept for gradients. Not a matter of the recipe. */

import { availableParallelism, totalmem } from "node:os";
import { divisorsBeside } from "../../blocks/index.js";
import {
  type DataMemory,
  type EngineMemory,
  lossesAcrossSamples,
  type MemoryPlan,
  type Model,
  planMemory,
  type Recipe,
  type Splitting,
} from "../../compiler/index.js";
import type { Recompute } from "../../graph/index.js";
import type { Executor } from "../../runtime/index.js";
import { usageFailure } from "../words/failure.js";
import { grouped } from "../words/terminal.js";
import { engineOf } from "./process-memory.js";

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
const share = 0.7;

/** Bytes that WebAssembly can address. Of the process, Node and copies of state lie elsewhere: that much is left in reserve. */
const wasmMemory = 4 * 2 ** 30;

/** Bytes of the machine, or of the container that this process is kept in. */
function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

const roomOn = (backend: string): number => {
  const room = share * machineMemory();
  return backend === "wasm" ? Math.min(room, wasmMemory) : room;
};

/** Seconds that a micro-batch may take by a guess: Ctrl-C waits for the one that is computed. */
const patience = 4;

/** Matrix products that can be computed meanwhile: a core reaches 60 GFLOP/s in onnxruntime, and TensorFlow.js's one thread 5. */
function flopsIn(backend: string, threads = availableParallelism()): number {
  const rates: Readonly<Record<string, number>> = { onnx: 60e9 * threads, wasm: 5e9 };
  return patience * (rates[backend] ?? Number.POSITIVE_INFINITY);
}

/**
 * How a batch is cut, and what is kept: here, or on a machine with as much memory as the flags say. Where they say how much, that alone
 * decides.
 */
export function cutting(
  batch: number,
  { microBatch, memory, recompute, threads }: MemoryFlags,
  backend = "onnx",
): { readonly splitting: Splitting; readonly recompute: Recompute; readonly engine?: EngineMemory } {
  checkMicroBatch(batch, microBatch);
  const room: Splitting =
    memory === undefined
      ? { by: "room", bytes: roomOn(backend), flops: flopsIn(backend, threads) }
      : { by: "room", bytes: share * memory };
  const engine = engineOf(backend);
  return {
    splitting: microBatch === undefined ? room : { by: "size", samples: microBatch },
    recompute: recompute ? "layers" : "nothing",
    ...(engine ? { engine } : {}),
  };
}

/** Throws a usage failure where a batch has no parts of that size. */
export function checkMicroBatch(batch: number, microBatch: number | undefined): void {
  if (microBatch === undefined || batch % microBatch === 0) return;
  throw usageFailure(`a batch of ${batch} cannot be cut into micro-batches of ${microBatch}`, {
    help: `nearest sizes that divide it: ${divisorsBeside(batch, microBatch).join(" and ")}`,
  });
}

/** How a run is computed: as the flags say, as it was begun, or so that it fits into the memory of the machine and gives way soon enough. */
export function computingOf(
  {
    model,
    recipe,
    batch,
    data,
  }: { readonly model: Model; readonly recipe: Recipe; readonly batch: number; readonly data: DataMemory },
  flags: MemoryFlags,
  { backend, threads }: Executor,
  before: Computing | null,
  note: (text: string) => void,
): Computing {
  const by = threads === undefined ? {} : { threads };
  const recompute = flags.recompute ?? before?.recompute ?? false;
  // With another number of hosts, each may have another share of a batch.
  const kept = before && batch % before.micro_batch === 0 ? before.micro_batch : undefined;
  const asBefore = flags.memory === undefined ? kept : undefined;
  const size = flags.microBatch ?? asBefore ?? (engineOf(backend) ? undefined : batch);
  const wanted = size === undefined ? { ...flags, recompute } : { ...flags, recompute, microBatch: size };
  if (size === batch) return { micro_batch: batch, recompute, ...by };
  const plan = planMemory(model, { recipe, batch, data, ...cutting(batch, wanted, backend) });
  if (plan.microBatch < batch) for (const text of splittingNotes(model, plan)) note(text);
  return { micro_batch: plan.microBatch, recompute, ...by };
}

/** What a reader should know of a batch that is cut. */
export function splittingNotes(model: Model, plan: MemoryPlan): string[] {
  const parts = plan.batch / plan.microBatch;
  const why = plan.bound === null ? "" : `, so that ${boundText[plan.bound]}`;
  const across = lossesAcrossSamples(model);
  return [
    `a batch of ${grouped(plan.batch)} is computed as ${grouped(parts)} micro-batches of ${grouped(plan.microBatch)}${why}`,
    ...across.map((name) => `${name} compares samples: here those of a micro-batch, not all of the batch`),
    ...(isTooLarge(plan) ? ["even a single sample at once takes more memory than there is"] : []),
  ];
}

const boundText = {
  memory: "the process fits into memory",
  time: `Ctrl-C need not wait longer than about ${patience} seconds`,
} as const;

const isTooLarge = ({ room, total }: MemoryPlan): boolean => room !== null && total > room;
