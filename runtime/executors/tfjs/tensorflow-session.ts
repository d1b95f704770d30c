/**
 * State held as variables of TensorFlow, and graphs that each run in one call: all graphs of a session are one
 * SavedModel, so that they share the variables. A further graph makes another one, which takes the state over.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { bytesOf, type DType, type StateSlot, sizeOf, type TypedArray, type Values } from "../../../graph/index.js";
import type { Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import { type Plan, planOf } from "./plan.js";
import {
  doneName,
  feedName,
  getNames,
  outputName,
  type Program,
  putNames,
  savedModel,
  savedModelTags,
} from "./saved-model.js";
import { type Backend, checkSlots, compute, download, upload } from "./session.js";
import { dtypeNumber, type TensorflowBackend, taped } from "./tensorflow-tape.js";

/** Has TensorFlow load a model, which is no longer needed as a file then. */
function loaded(backend: TensorflowBackend, model: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "maelang-tensorflow-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), model);
    return backend.loadSavedModelMetaGraph(folder, savedModelTags);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the kernels of a plan once on zeros, and writes down what they call. */
function programOf(
  backend: Backend,
  tensorflow: TensorflowBackend,
  plan: Plan,
  numberOf: (slot: string) => number,
): Program {
  const given = [...plan.state, ...plan.feeds];
  const tensors = given.map(({ shape, dtype }) => tf.zeros([...shape], dtype));
  const tape = taped(tensorflow, tensors, () => {
    const constants = plan.constants.map(({ data, shape, dtype }) => upload(data, shape, dtype));
    const resident = new Map([
      ...given.map(({ place }, i) => [place, tensors[i] as tf.Tensor] as const),
      ...plan.constants.map(({ place }, i) => [place, constants[i] as tf.Tensor] as const),
    ]);
    const { outputs, updates } = compute(backend, { ...plan, feeds: [] }, resident, {});
    tf.dispose(constants);
    return [...outputs, ...updates];
  });
  tf.dispose(tensors);
  return {
    tape,
    state: plan.state.map(({ name }) => numberOf(name)),
    feeds: plan.feeds.map(({ shape, dtype }) => ({ shape, dtype: dtypeNumber(tensorflow, dtype) })),
    outputs: plan.outputs.map(({ dtype }) => dtypeNumber(tensorflow, dtype)),
    updates: plan.updates.map(({ name }) => numberOf(name)),
  };
}

/** The state of a session and what runs over it. Tensors that it is given are its own; those that it gives are the caller's. */
interface Model {
  put(slot: number, tensor: tf.Tensor): void;
  get(slot: number): tf.Tensor;
  /** Runs one of the programs that it was made of; gives its outputs. */
  run(program: number, feeds: readonly tf.Tensor[]): tf.Tensor[];
  /** Makes it anew of these programs; state goes from the old one into the new. */
  remake(programs: readonly Program[]): void;
  /** The variables that it has. */
  variables(): readonly StateSlot[];
  close(): void;
}

function emptyModel(tensorflow: TensorflowBackend, slots: readonly StateSlot[]): Model {
  let model: number | null = null;
  /** The state, as long as there are no variables. */
  let held: Map<number, tf.Tensor> | null = new Map();
  let outputs: readonly number[] = [];

  const ask = (given: Readonly<Record<string, tf.Tensor>>, names: readonly string[]): tf.Tensor[] => {
    const inputs = Object.keys(given).map((name) => ({ name: `${name}:0` }));
    const asked = names.map((name) => `${name}:0`);
    return tensorflow.runSavedModel(model as number, Object.values(given), inputs, asked);
  };
  const put = (slot: number, tensor: tf.Tensor): void => {
    if (held) {
      held.get(slot)?.dispose();
      held.set(slot, tensor);
      return;
    }
    const { which, value, done } = putNames(tensor.dtype as DType);
    const number = tf.scalar(slot, "int32");
    tf.dispose([...ask({ [which]: number, [value]: tensor }, [done]), number, tensor]);
  };
  const get = (slot: number): tf.Tensor => {
    if (held) return tf.clone(held.get(slot) as tf.Tensor);
    const { which, value } = getNames((slots[slot] as StateSlot).dtype);
    const number = tf.scalar(slot, "int32");
    const [tensor] = ask({ [which]: number }, [value]);
    number.dispose();
    return tensor as tf.Tensor;
  };
  const end = (): void => {
    if (model !== null) tensorflow.deleteSavedModel(model);
    model = null;
  };
  return {
    put,
    get,
    run(program, feeds) {
      const named = Object.fromEntries(feeds.map((tensor, i) => [feedName(program, i), tensor]));
      const names = Array.from({ length: outputs[program] as number }, (_, i) => outputName(program, i));
      const made = ask(named, [...names, doneName(program)]);
      made.pop()?.dispose();
      return made;
    },
    remake(programs) {
      const before = held ?? new Map(slots.map((_, slot) => [slot, get(slot)]));
      held = before;
      end();
      model = loaded(tensorflow, savedModel(tensorflow, slots, programs));
      outputs = programs.map((program) => program.outputs.length);
      held = null;
      for (const [slot, tensor] of before) put(slot, tensor);
    },
    variables: () => (held ? [] : slots),
    close() {
      if (held) tf.dispose([...held.values()]);
      held = new Map();
      end();
    },
  };
}

/** @param tensorflow what `backend` activates. */
export function openGraphSession(
  backend: Backend,
  tensorflow: TensorflowBackend,
  slots: readonly StateSlot[],
  initial: Values,
): Session {
  const inTurn = takingTurns();
  const slotOf = slotsByName(slots);
  const numbers = new Map(slots.map(({ name }, i) => [name, i]));
  const numberOf = (name: string): number => numbers.get(slotOf(name).name) as number;
  const model = emptyModel(tensorflow, slots);
  const programs: Program[] = [];
  /** How many of the programs the model has. */
  let made = 0;
  const guarded = <R>(task: () => Promise<R>): Promise<R> =>
    inTurn(async () => {
      backend.activate();
      return task().catch(backend.rethrow);
    });
  const put = (slot: StateSlot, values: Values): void =>
    model.put(numberOf(slot.name), upload(checkedValue(values, slot), slot.shape, slot.dtype));

  const run = async (program: number, plan: Plan, feeds: Values): Promise<Values> => {
    const values = plan.feeds.map((feed) => checkedValue(feeds, feed));
    if (made < programs.length) model.remake(programs);
    made = programs.length;
    const fed = plan.feeds.map(({ shape, dtype }, i) => upload(values[i] as TypedArray, shape, dtype));
    const outputs: tf.Tensor[] = [];
    try {
      outputs.push(...model.run(program, fed));
      const read = await Promise.all(outputs.map(download));
      return Object.fromEntries(plan.outputs.map(({ name }, i) => [name, read[i] as TypedArray]));
    } finally {
      tf.dispose([...fed, ...outputs]);
    }
  };

  backend.activate();
  for (const slot of slots) put(slot, initial);
  return {
    load: async (graph) => {
      const plan = planOf(graph);
      checkSlots(plan, slotOf);
      backend.activate();
      const program = programs.push(programOf(backend, tensorflow, plan, numberOf)) - 1;
      return (feeds) => guarded(() => run(program, plan, feeds));
    },
    read: (names = slots.map(({ name }) => name)) =>
      guarded(async () => {
        const read: Record<string, TypedArray> = {};
        for (const name of names) {
          const tensor = model.get(numberOf(name));
          read[name] = await download(tensor);
          tensor.dispose();
        }
        return read;
      }),
    write: (values) =>
      guarded(async () => {
        for (const name of Object.keys(values)) put(slotOf(name), values);
      }),
    memory: () => {
      const { numBytes, numTensors } = tf.memory();
      const variables = model.variables();
      const bytes = variables.reduce((sum, { dtype, shape }) => sum + bytesOf[dtype] * sizeOf(shape), 0);
      return { bytes: numBytes + bytes, tensors: numTensors + variables.length };
    },
    close: () => guarded(async () => model.close()),
  };
}
