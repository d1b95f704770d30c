/**
 * State held as TensorFlow.js tensors and plans run over it, node by node. Everything between the upload of the feeds
 * and the last kernel happens in one synchronous stretch, so several sessions, also on different backends, can share
 * TensorFlow.js's one global engine.
 */

import * as tf from "@tensorflow/tfjs-core";
import {
  arrayTypes,
  type DType,
  type Graph,
  type InputsOf,
  invariant,
  type Node,
  type StateSlot,
  showShape,
  sizeOf,
  type TypedArray,
  type Values,
} from "../../../graph/index.js";
import { reasonOf } from "../../run-error.js";
import type { Runner, Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import type { Shared } from "./adamw-scalars.js";
import type { Computed, Fuse, Kernel, Kernels, NeededOutputs } from "./kernel.js";
import { isFused, type Plan, planOf, type Step, type Work } from "./plan.js";

/** A backend that is ready to be used. */
export interface Backend {
  readonly kernels: Kernels;
  /** If absent, each node is computed by its kernel. */
  readonly fuse?: Fuse | undefined;
  /** Makes it the one that the next synchronous calls run on. */
  activate(): void;
  /** Turns an error of the backend into one for the user where it is theirs, and throws it. */
  rethrow(error: unknown): never;
  /** Throws where the device failed without telling the caller. */
  check(): void;
}

/** A tensor of a copy of `data`; one element fills the shape. */
export function upload(data: TypedArray, shape: readonly number[], dtype: DType): tf.Tensor {
  const size = sizeOf(shape);
  const values =
    data.length === size ? arrayTypes[dtype].from(data) : new arrayTypes[dtype](size).fill(data[0] as number);
  return tf.tensor(values, [...shape], dtype);
}

/** The values of a tensor, in an array of the caller's own. */
export async function download(tensor: tf.Tensor): Promise<TypedArray> {
  const values = await tensor.data();
  return arrayTypes[tensor.dtype as DType].from(values);
}

/** Nothing in gives nothing or zeros out; backends do not all accept tensors without elements. */
function applyToNothing(node: Node<Computed>, wanted: NeededOutputs): (tf.Tensor | undefined)[] {
  return node.outputs.map(({ shape, dtype }, i) => (wanted[i] ? tf.zeros([...shape], dtype) : undefined));
}

const isEmpty = ({ shape }: { readonly shape: readonly number[] }): boolean => sizeOf(shape) === 0;

function apply<O extends Computed>(
  kernels: Kernels,
  node: Node<O>,
  inputs: readonly tf.Tensor[],
  wanted: NeededOutputs,
  shared: Shared,
): readonly (tf.Tensor | undefined)[] {
  const nothing = node.outputs.every(isEmpty) || (node.inputs.some(isEmpty) && node.operation !== "concat");
  if (nothing) return applyToNothing(node, wanted);
  const kernel: Kernel<O> = kernels[node.operation];
  // The builder has checked how many inputs the operation takes.
  return kernel(inputs as InputsOf<O, tf.Tensor>, node.attributes, wanted, shared);
}

/** Runs one step: places get its wanted outputs, and lose what nothing reads afterwards. */
function runStep(kernels: Kernels, places: (tf.Tensor | undefined)[], step: Step, shared: Shared): void {
  const inputs = step.inputs.map((place) => places[place] as tf.Tensor);
  const made = tf.tidy(() => {
    const { work, wanted } = step;
    const outputs = isFused(work) ? work.run(inputs, wanted) : apply(kernels, work, inputs, wanted, shared);
    return outputs.filter((output, i): output is tf.Tensor => output !== undefined && step.wanted[i] === true);
  });
  let next = 0;
  step.outputs.forEach((place, i) => {
    if (step.wanted[i]) places[place] = made[next++];
  });
  for (const place of step.last) {
    places[place]?.dispose();
    places[place] = undefined;
  }
}

/** Kept beyond the node that asks first; whoever owns `known` disposes them. */
const sharedIn =
  (known: Map<string, tf.Tensor>): Shared =>
  (key, make) => {
    const tensor = known.get(key) ?? tf.keep(tf.tidy(make));
    known.set(key, tensor);
    return tensor;
  };

interface Results {
  readonly outputs: tf.Tensor[];
  readonly updates: tf.Tensor[];
}

/** Where errors are reported from: "linear in encode/blocks.0". */
function whereIs(work: Work): string {
  if (isFused(work)) return work.name;
  return work.scope === "" ? work.operation : `${work.operation} in ${work.scope}`;
}

/**
 * The synchronous stretch. Outputs and updates are tensors of their own (handles; the numbers are shared), so that
 * disposing the one never touches the other, the state or the constants.
 */
export function compute(
  backend: Backend,
  plan: Plan,
  resident: ReadonlyMap<number, tf.Tensor>,
  feeds: Values,
): Results {
  const known = new Map<string, tf.Tensor>();
  try {
    return computeWith(backend, plan, resident, feeds, sharedIn(known));
  } finally {
    tf.dispose([...known.values()]);
  }
}

function computeWith(
  backend: Backend,
  plan: Plan,
  resident: ReadonlyMap<number, tf.Tensor>,
  feeds: Values,
  shared: Shared,
): Results {
  return tf.tidy(() => {
    const places: (tf.Tensor | undefined)[] = new Array(plan.places);
    for (const [place, tensor] of resident) places[place] = tensor;
    for (const feed of plan.feeds) places[feed.place] = upload(checkedValue(feeds, feed), feed.shape, feed.dtype);
    for (const step of plan.steps) {
      try {
        runStep(backend.kernels, places, step, shared);
      } catch (error) {
        throw new Error(`${whereIs(step.work)}: ${reasonOf(error)}`, { cause: error });
      }
    }
    const handle = ({ place }: { readonly place: number }): tf.Tensor => tf.clone(places[place] as tf.Tensor);
    return { outputs: plan.outputs.map(handle), updates: plan.updates.map(handle) };
  });
}

type State = Map<string, tf.Tensor>;

function runnerOf(backend: Backend, plan: Plan, state: State, constants: ReadonlyMap<number, tf.Tensor>): Runner {
  return async (feeds) => {
    backend.activate();
    const resident = new Map(constants);
    for (const { name, place } of plan.state) resident.set(place, state.get(name) as tf.Tensor);
    const results = compute(backend, plan, resident, feeds);
    try {
      const values = await Promise.all(results.outputs.map(download));
      backend.check();
      plan.updates.forEach(({ name }, i) => {
        state.get(name)?.dispose();
        state.set(name, results.updates[i] as tf.Tensor);
      });
      results.updates.length = 0;
      return Object.fromEntries(plan.outputs.map(({ name }, i) => [name, values[i] as TypedArray]));
    } finally {
      tf.dispose([...results.outputs, ...results.updates]);
    }
  };
}

/** An invariant where a plan reads or writes state of another size than its slot. */
export function checkSlots(plan: Plan, slotOf: (name: string) => StateSlot): void {
  for (const { name, shape } of [...plan.state, ...plan.updates]) {
    const slot = slotOf(name);
    invariant(sizeOf(shape) === sizeOf(slot.shape), `"${name}" is ${showShape(slot.shape)}, not ${showShape(shape)}`);
  }
}

/** State on the backend and the graphs that share it. The caller has made sure that the backend is ready. */
export function openSession(backend: Backend, slots: readonly StateSlot[], initial: Values): Session {
  const state: State = new Map();
  const constants: tf.Tensor[] = [];
  const inTurn = takingTurns();
  const slotOf = slotsByName(slots);
  const guarded = <R>(task: () => Promise<R>): Promise<R> => inTurn(() => task().catch(backend.rethrow));

  const put = (slot: StateSlot, values: Values): void => {
    const data = checkedValue(values, slot);
    state.get(slot.name)?.dispose();
    state.set(slot.name, upload(data, slot.shape, slot.dtype));
  };
  backend.activate();
  try {
    for (const slot of slots) put(slot, initial);
  } catch (error) {
    backend.rethrow(error);
  }

  return {
    load: async (graph: Graph) => {
      const plan = planOf(graph, backend.fuse);
      checkSlots(plan, slotOf);
      backend.activate();
      const own = new Map(plan.constants.map(({ place, data, shape, dtype }) => [place, upload(data, shape, dtype)]));
      constants.push(...own.values());
      const run = runnerOf(backend, plan, state, own);
      return (feeds) => guarded(() => run(feeds));
    },
    read: (names = slots.map(({ name }) => name)) =>
      guarded(async () => {
        const values = await Promise.all(names.map((name) => download(state.get(slotOf(name).name) as tf.Tensor)));
        return Object.fromEntries(names.map((name, i) => [name, values[i] as TypedArray]));
      }),
    write: (values) =>
      guarded(async () => {
        backend.activate();
        for (const name of Object.keys(values)) put(slotOf(name), values);
      }),
    memory: () => {
      const { numBytes, numTensors } = tf.memory();
      return { bytes: numBytes, tensors: numTensors };
    },
    close: () =>
      guarded(async () => {
        tf.dispose([...state.values(), ...constants]);
        state.clear();
        constants.length = 0;
      }),
  };
}
