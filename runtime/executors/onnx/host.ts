/**
 * onnxruntime with the state beside it: loads plans, runs them, updates state. Lives in a worker thread, since a run
 * blocks the thread that asks for it.
 */

import type { InferenceSession, Tensor } from "onnxruntime-node";
import { type DType, invariant, type StateSlot, sizeOf, type TypedArray, type Values } from "../../../graph/index.js";
import { type Cell, createCells } from "./arena.js";
import type { InPlace, Named, Plan } from "./plan.js";

type Runtime = typeof import("onnxruntime-node");

export interface Settings {
  /** Threads of one operation. */
  readonly threads: number;
  /** Whether idle threads wait by spinning: faster on a quiet machine, slower on a busy one. */
  readonly spin: boolean;
}

export interface Held {
  /** Resident memory of the whole process: onnxruntime does not tell what it holds. */
  readonly bytes: number;
  /** State, and the gradients of state that is updated in place. */
  readonly tensors: number;
}

export interface Host {
  /** Prepares a plan; gives the number by which it is run. */
  load(plan: Plan): Promise<number>;
  run(loaded: number, feeds: Values): Promise<Record<string, TypedArray>>;
  read(names: readonly string[]): Record<string, TypedArray>;
  write(values: Values): void;
  memory(): Held;
  close(): Promise<void>;
}

interface Loaded {
  readonly session: InferenceSession;
  readonly plan: Plan;
  /** Where each in-place update happens. */
  readonly cells: ReadonlyMap<InPlace, Cell>;
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** The array that onnxruntime takes, of the caller's own data where it fits. */
function arrayFor(data: TypedArray, dtype: DType): TypedArray {
  return data instanceof arrays[dtype] ? data : arrays[dtype].from(data);
}

const sessionOptions = ({ threads, spin }: Settings): InferenceSession.SessionOptions => ({
  executionProviders: ["cpu"],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  // 3: errors only; it warns about every constant that it folds away.
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: spin ? "1" : "0" } } },
});

/** Opens the state; `initial` holds a value for every slot. */
export function openHost(ort: Runtime, settings: Settings, slots: readonly StateSlot[], initial: Values): Host {
  const state = new Map<string, TypedArray>();
  const shapes = new Map(slots.map((slot) => [slot.name, slot]));
  const cells = new Map<string, Cell>();
  const loaded: Loaded[] = [];

  for (const { name, dtype, shape } of slots) {
    const data = initial[name];
    invariant(data?.length === sizeOf(shape), `"${name}" is given ${sizeOf(shape)} values`);
    state.set(name, arrays[dtype].from(data));
  }

  /** Moves the state of in-place updates into memories of their own, unless an earlier plan did. */
  const place = (updates: readonly InPlace[]): void => {
    const fresh = updates.filter((update) => !cells.has(update.state.join()));
    createCells(fresh).forEach((cell, i) => {
      cells.set((fresh[i] as InPlace).state.join(), cell);
      for (const [name, view] of cell.state) {
        view.set(state.get(name) as Float32Array);
        state.set(name, view);
      }
    });
  };

  const tensorOf = ({ dtype, shape }: Named, data: TypedArray): Tensor =>
    new ort.Tensor(dtype, arrayFor(data, dtype) as Float32Array, shape);

  const inputsOf = ({ plan }: Loaded, feeds: Values): Record<string, Tensor> => {
    const inputs: Record<string, Tensor> = {};
    for (const named of plan.state) inputs[named.onnx] = tensorOf(named, state.get(named.name) as TypedArray);
    for (const named of plan.feeds) {
      const data = feeds[named.name];
      invariant(data?.length === sizeOf(named.shape), `"${named.name}" is fed ${sizeOf(named.shape)} values`);
      if (named.read) inputs[named.onnx] = tensorOf(named, data);
    }
    return inputs;
  };

  /** Gradients go straight into their cells; everything else is made by onnxruntime. */
  const fetchesOf = ({ plan, cells: own }: Loaded): Record<string, Tensor | null> => {
    const fetches: Record<string, Tensor | null> = {};
    for (const { onnx } of [...plan.outputs, ...plan.replaced]) fetches[onnx] = null;
    for (const update of plan.inPlace) {
      for (const scalar of update.scalars) fetches[scalar] = null;
      const { gradient } = own.get(update) as Cell;
      const shape = shapes.get(update.state[0] as string)?.shape ?? [update.size];
      fetches[update.gradient] = new ort.Tensor("float32", gradient, shape);
    }
    return fetches;
  };

  return {
    async load(plan) {
      place(plan.inPlace);
      const session = await ort.InferenceSession.create(plan.model, sessionOptions(settings));
      const own = plan.inPlace.map((update) => [update, cells.get(update.state.join()) as Cell] as const);
      return loaded.push({ session, plan, cells: new Map(own) }) - 1;
    },
    async run(number, feeds) {
      const entry = loaded[number] as Loaded;
      const results = await entry.session.run(inputsOf(entry, feeds), fetchesOf(entry));
      const dataOf = (onnx: string): TypedArray => (results[onnx] as Tensor).data as TypedArray;
      const outputs = Object.fromEntries(entry.plan.outputs.map(({ name, onnx }) => [name, dataOf(onnx).slice()]));
      for (const update of entry.plan.inPlace) {
        (entry.cells.get(update) as Cell).update(
          update.rule,
          update.scalars.map((onnx) => dataOf(onnx)[0] as number),
        );
      }
      for (const { name, onnx } of entry.plan.replaced) (state.get(name) as Float32Array).set(dataOf(onnx));
      return outputs;
    },
    read: (names) => Object.fromEntries(names.map((name) => [name, (state.get(name) as TypedArray).slice()])),
    write(values) {
      for (const [name, data] of Object.entries(values)) {
        const kept = state.get(name);
        invariant(kept?.length === data.length, `"${name}" is state with ${data.length} values`);
        kept.set(data);
      }
    },
    memory: () => ({ bytes: process.memoryUsage.rss(), tensors: state.size + cells.size }),
    async close() {
      for (const { session } of loaded) await session.release();
      loaded.length = 0;
      state.clear();
      cells.clear();
    },
  };
}
