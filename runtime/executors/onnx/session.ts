/** A session whose state and computation live in a worker thread, so that this thread stays free. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type StateSlot, simplify, type TypedArray, type Values } from "../../../graph/index.js";
import { packageRoot } from "../../package.js";
import { RunError } from "../../run-error.js";
import type { Session } from "../executor.js";
import type { Settings } from "./host.js";
import { planOf } from "./plan.js";
import type { Answer, Request, Setup } from "./worker.js";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Turns an error of onnxruntime into one for the user. */
function failure(message: string): RunError {
  const memory = /alloc|memory/i.test(message);
  return new RunError(memory ? "run/out-of-memory" : "run/device-failed", {
    what: memory ? "onnxruntime has not enough memory for a step" : "onnxruntime reported an error",
    why: message,
    help: memory ? "Use a smaller batch." : "Try --backend wasm; if it works there, report this.",
  });
}

/** A worker and the questions that it has not answered yet. */
function openWorker(setup: Setup): {
  readonly ask: (request: Request, hand?: ArrayBuffer[]) => Promise<unknown>;
  readonly stop: () => Promise<void>;
} {
  const file = join(packageRoot, "dist", "onnx-worker.js");
  if (!existsSync(file)) {
    throw new RunError("run/worker", {
      what: `The worker ${file} is missing`,
      help: "Build the package with `npm run build`.",
    });
  }
  const worker = new Worker(file, { workerData: setup });
  const waiting = new Map<number, Waiting>();
  let end: Error | null = null;
  let next = 0;
  const fail = (why: string): void => {
    end ??= failure(why);
    for (const { reject } of waiting.values()) reject(end);
    waiting.clear();
  };
  worker.on("message", ({ id, result, error }: Answer) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(failure(error));
    if (waiting.size === 0) worker.unref();
  });
  worker.on("error", ({ message }) => fail(message));
  worker.on("exit", (code) => fail(`the worker ended with code ${code}`));
  return {
    ask: (request, hand = []) =>
      new Promise((resolve, reject) => {
        if (end) return reject(end);
        worker.ref();
        waiting.set(next, { resolve, reject });
        worker.postMessage({ id: next++, request }, hand);
      }),
    stop: async () => {
      end ??= failure("the session is closed");
      await worker.terminate();
    },
  };
}

export function openSession(settings: Settings, slots: readonly StateSlot[], initial: Values): Session {
  const { ask, stop } = openWorker({ settings, slots, initial });
  let memory = { bytes: 0, tensors: 0 };
  const refresh = async (): Promise<void> => {
    memory = (await ask({ kind: "memory" })) as typeof memory;
  };
  return {
    async load(graph) {
      const plan = planOf(simplify(graph));
      const loaded = (await ask({ kind: "load", plan }, [plan.model.buffer as ArrayBuffer])) as number;
      await refresh();
      return async (feeds) => (await ask({ kind: "run", loaded, feeds })) as Record<string, TypedArray>;
    },
    read: async (names = slots.map(({ name }) => name)) =>
      (await ask({ kind: "read", names })) as Record<string, TypedArray>,
    write: async (values) => void (await ask({ kind: "write", values })),
    memory: () => memory,
    async close() {
      await ask({ kind: "close" });
      await stop();
    },
  };
}
