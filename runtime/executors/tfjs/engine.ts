/**
 * TensorFlow.js has one engine with one active backend for the whole process. This makes a backend ready beside others
 * that are in use, and hands it out as an `Executor`. Which backends there are is left to the doors `node.ts` and
 * `browser.ts`.
 */

import * as tf from "@tensorflow/tfjs-core";
import { invariant, type StateSlot, type Values } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Executor, Session } from "../executor.js";
import type { Fuse, Kernels } from "./kernel.js";
import { type Backend, openSession } from "./session.js";

/** A backend that was made but that TensorFlow.js does not know yet. */
export interface Made {
  readonly instance: tf.KernelBackend;
  /** In words. */
  readonly device: string;
  /** Why the device failed since it was made; undefined while it works. */
  readonly failure?: () => string | undefined;
  /** Gives back what TensorFlow.js does not. */
  readonly release?: () => void;
}

export interface BackendDefinition {
  /** Its name in TensorFlow.js. */
  readonly name: string;
  readonly kernels: Kernels;
  /** If it computes several nodes at once. */
  readonly fuse?: Fuse;
  /** If it has sessions of its own. */
  readonly openSession?: (
    backend: Backend,
    instance: tf.KernelBackend,
    slots: readonly StateSlot[],
    initial: Values,
  ) => Session;
  /** Settings of TensorFlow.js that the backend's package has registered. */
  readonly flags?: Readonly<Record<string, boolean>>;
  /** Loads the package and makes the backend. */
  readonly make: () => Promise<Made>;
}

interface Open {
  readonly made: Promise<Made>;
  users: number;
}

const open = new Map<string, Open>();

/** Makes a backend and registers the finished thing, so that activating it later never waits. */
async function register({ name, flags = {}, make }: BackendDefinition): Promise<Made> {
  // Silences the advice that TensorFlow.js prints in Node, and its checks of shapes, which graphs have passed before.
  tf.enableProdMode();
  const made = await make();
  for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
  if (tf.findBackendFactory(name)) tf.removeBackend(name);
  tf.registerBackend(name, () => made.instance);
  return made;
}

async function join(definition: BackendDefinition): Promise<Made> {
  const entry = open.get(definition.name) ?? { made: register(definition), users: 0 };
  open.set(definition.name, entry);
  entry.users++;
  try {
    return await entry.made;
  } catch (error) {
    open.delete(definition.name);
    throw error;
  }
}

function leave(name: string, made: Made): void {
  const entry = open.get(name);
  if (!entry || --entry.users > 0) return;
  open.delete(name);
  tf.removeBackend(name);
  made.release?.();
}

/** What packages registered when they were loaded; `leave` takes it out of TensorFlow.js. */
const factories = new Map<string, () => tf.KernelBackend | Promise<tf.KernelBackend>>();

/** Makes a backend whose package registers itself when it is loaded. */
export async function builtIn(name: string): Promise<tf.KernelBackend> {
  const factory = factories.get(name) ?? tf.findBackendFactory(name);
  invariant(factory, `the package of the backend "${name}" registers it`);
  factories.set(name, factory);
  return factory();
}

function backendOf({ name, kernels, fuse }: BackendDefinition, made: Made): Backend {
  const check = (): void => {
    const why = made.failure?.();
    if (why !== undefined) throw deviceFailed(name, why);
  };
  return {
    kernels,
    fuse,
    // For a registered instance setBackend does all its work before it returns its promise.
    activate: () => {
      check();
      if (tf.getBackend() !== name) void tf.setBackend(name);
    },
    check,
    rethrow: (error) => {
      check();
      throw isOutOfMemory(error) ? outOfMemory(name, error) : error;
    },
  };
}

const deviceFailed = (backend: string, why: string): RunError =>
  new RunError("run/device-failed", {
    what: `The device behind the backend ${backend} failed`,
    why,
    help: "Start again with --resume; a smaller batch, or another backend, helps where the memory of the device was full.",
  });

const outOfMemory = (backend: string, cause: unknown): RunError =>
  new RunError(
    "run/out-of-memory",
    {
      what: `The backend ${backend} has no memory left for this step`,
      why: cause instanceof Error ? cause.message : String(cause),
      help: "Use a smaller batch, or a backend with more memory.",
    },
    { cause },
  );

/** What WebAssembly, JavaScript and drivers say when memory ran out. */
const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error &&
  /out of memory|OOM|Array buffer allocation|memory access out of bounds|\bAborted\(/i.test(error.message);

/** The executor of a backend. Opening one twice shares what is behind it. */
export async function openExecutorOn(definition: BackendDefinition): Promise<Executor> {
  const made = await join(definition);
  const backend = backendOf(definition, made);
  let closed = false;
  return {
    name: "tfjs",
    backend: definition.name,
    device: made.device,
    open: async (state, initial) =>
      definition.openSession?.(backend, made.instance, state, initial) ?? openSession(backend, state, initial),
    close: async () => {
      if (!closed) leave(definition.name, made);
      closed = true;
    },
  };
}
