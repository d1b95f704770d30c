/**
 * onnxruntime with the state beside it: loads plans, runs them, updates state. Lives in a worker thread, since a run
 * blocks the thread that asks for it.
 */

import type { InferenceSession, Tensor } from "onnxruntime-node";
import { arrayTypes, type StateSlot, sizeOf, type TypedArray, type Values } from "../../../graph/index.js";
import { type Arena, createArena } from "./arena.js";
import type { Named, Plan } from "./plan.js";
import { type Runtime, type Settings, sessionOptions } from "./settings.js";
import type { Load } from "./staging.js";

export interface HostMemory {
  /** Resident memory of the whole process: onnxruntime does not tell what it holds. */
  readonly bytes: number;
  /** State. */
  readonly tensors: number;
}

export interface Host {
  /** Prepares a plan; gives the number by which it is run. */
  load(plan: Plan): Promise<number>;
  run(loaded: number, feeds: Values): Promise<Record<string, TypedArray>>;
  read(names: readonly string[]): Record<string, TypedArray>;
  /** Takes the values out of the buffer and gives it back. */
  write(load: Load): ArrayBuffer;
  memory(): HostMemory;
  close(): Promise<void>;
}

interface Loaded {
  readonly session: InferenceSession;
  readonly plan: Plan;
}

/** The state of a session, and what its tensors are made with. */
interface Opened {
  readonly ort: Runtime;
  readonly arena: Arena;
  readonly state: Map<string, TypedArray>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** A tensor that onnxruntime takes, of the caller's own data where that fits. */
function tensorOf(ort: Runtime, { dtype, shape }: Named, data: TypedArray): Tensor {
  const own = data instanceof arrayTypes[dtype] ? data : arrayTypes[dtype].from(data);
  return new ort.Tensor(dtype, own as Float32Array, shape);
}

function inputsOf({ ort, state }: Opened, plan: Plan, feeds: Values): Record<string, Tensor> {
  const inputs: Record<string, Tensor> = {};
  for (const named of plan.state) inputs[named.onnx] = tensorOf(ort, named, state.get(named.name) as TypedArray);
  for (const named of plan.feeds) {
    if (named.read) inputs[named.onnx] = tensorOf(ort, named, feeds[named.name] as TypedArray);
  }
  for (const { onnx, shape } of plan.shapes) {
    inputs[onnx] = new ort.Tensor("int64", BigInt64Array.from(shape, BigInt), [shape.length]);
  }
  return inputs;
}

/** Gradients go straight to where the optimizer reads them; everything else is made by onnxruntime. */
function fetchesOf({ ort, arena, shapes }: Opened, plan: Plan): Record<string, Tensor | null> {
  const fetches: Record<string, Tensor | null> = {};
  for (const { onnx } of [...plan.outputs, ...plan.replaced]) fetches[onnx] = null;
  for (const update of plan.inPlace) {
    for (const scalar of update.scalars) fetches[scalar] = null;
    const parameter = update.state[0] as string;
    fetches[update.gradient] = new ort.Tensor("float32", arena.gradient(parameter), shapes.get(parameter) ?? []);
  }
  return fetches;
}

/** Opens the state, all of it zero. What is asked of it is checked where it is asked. */
export function openHost(ort: Runtime, settings: Settings, slots: readonly StateSlot[]): Host {
  const arena = createArena(slots);
  const state = new Map<string, TypedArray>(arena.state);
  for (const { name, dtype, shape } of slots) {
    if (dtype !== "float32") state.set(name, new arrayTypes[dtype](sizeOf(shape)));
  }
  const opened: Opened = { ort, arena, state, shapes: new Map(slots.map(({ name, shape }) => [name, shape])) };
  const loaded: Loaded[] = [];
  return {
    async load(plan) {
      const session = await ort.InferenceSession.create(plan.model, sessionOptions(settings));
      return loaded.push({ session, plan }) - 1;
    },
    async run(number, feeds) {
      const { session, plan } = loaded[number] as Loaded;
      const results = await session.run(inputsOf(opened, plan, feeds), fetchesOf(opened, plan));
      const dataOf = (onnx: string): TypedArray => (results[onnx] as Tensor).data as TypedArray;
      const outputs = Object.fromEntries(plan.outputs.map(({ name, onnx }) => [name, dataOf(onnx).slice()]));
      for (const update of plan.inPlace) {
        const scalars = update.scalars.map((onnx) => dataOf(onnx)[0] as number);
        arena.apply(update, scalars);
      }
      for (const { name, onnx } of plan.replaced) (state.get(name) as Float32Array).set(dataOf(onnx));
      return outputs;
    },
    read: (names) => Object.fromEntries(names.map((name) => [name, (state.get(name) as TypedArray).slice()])),
    write({ pieces, buffer }) {
      for (const { name, dtype, at, from, count } of pieces) {
        (state.get(name) as TypedArray).set(new arrayTypes[dtype](buffer, from, count), at);
      }
      return buffer;
    },
    memory: () => ({ bytes: process.memoryUsage.rss(), tensors: state.size }),
    async close() {
      for (const { session } of loaded) await session.release();
      loaded.length = 0;
      state.clear();
    },
  };
}
