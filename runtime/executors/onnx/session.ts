/** A session whose state and computation live in a worker thread, so that this thread stays free. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type Graph, type StateSlot, simplify, type TypedArray, type Values } from "../../../graph/index.js";
import { packageRoot } from "../../package.js";
import { RunError } from "../../run-error.js";
import type { Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import { type Blocks, everywhere, gainsByBlocks, worthMoving } from "./blocked.js";
import type { HostMemory } from "./host.js";
import { planOf } from "./plan.js";
import type { Settings } from "./settings.js";
import { type Load, sendValues } from "./staging.js";
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
  /** As of the last answer. */
  readonly held: () => HostMemory;
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
  let held: HostMemory = { bytes: 0, tensors: 0 };
  const fail = (why: string): void => {
    end ??= failure(why);
    for (const { reject } of waiting.values()) reject(end);
    waiting.clear();
  };
  worker.on("message", ({ id, result, error, ...answer }: Answer) => {
    held = answer.held ?? held;
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
    held: () => held,
    stop: async () => {
      end ??= failure("the session is closed");
      held = { bytes: 0, tensors: 0 };
      await worker.terminate();
    },
  };
}

export async function openSession(settings: Settings, slots: readonly StateSlot[], initial: Values): Promise<Session> {
  for (const slot of slots) checkedValue(initial, slot);
  const { ask, held, stop } = openWorker({ settings, slots });
  const inTurn = takingTurns();
  const deliver = async (load: Load): Promise<ArrayBuffer> =>
    (await ask({ kind: "write", values: load }, [load.buffer])) as ArrayBuffer;
  try {
    await sendValues(slots, initial, deliver, true);
  } catch (error) {
    await stop();
    throw error;
  }
  const slotOf = slotsByName(slots);
  const { provider, products } = settings;
  const least = products === "blocks" ? everywhere : worthMoving;
  let size: Promise<unknown> | null = null;
  let faster: Promise<unknown> | null = null;
  /** What of a graph is computed in blocks; the worker times products once, and only for a graph that may gain by it. */
  const blocksFor = async (graph: Graph): Promise<Blocks | null> => {
    if (provider !== "cpu") return null;
    size ??= inTurn(() => ask({ kind: "block" }));
    const block = (await size) as number | null;
    if (block === null) return null;
    if (products === "rows" || !gainsByBlocks(graph, least)) return { size: block, least: null };
    faster ??= inTurn(() => ask({ kind: "products", block }));
    return { size: block, least: (await faster) === true ? least : null };
  };
  return {
    async load(graph) {
      for (const name of graph.state.keys()) slotOf(name);
      const simple = simplify(graph);
      const plan = planOf(simple, await blocksFor(simple));
      const loaded = await inTurn(() => ask({ kind: "load", plan }, [plan.model.buffer as ArrayBuffer]));
      return async (feeds) => {
        for (const feed of plan.feeds) checkedValue(feeds, feed);
        const request = { kind: "run", loaded: loaded as number, feeds } as const;
        return (await inTurn(() => ask(request))) as Record<string, TypedArray>;
      };
    },
    async read(names = slots.map(({ name }) => name)) {
      names.forEach(slotOf);
      return (await inTurn(() => ask({ kind: "read", names }))) as Record<string, TypedArray>;
    },
    async write(values) {
      const written = Object.keys(values).map(slotOf);
      for (const slot of written) checkedValue(values, slot);
      await inTurn(() => sendValues(written, values, deliver, false));
    },
    memory: held,
    async close() {
      await inTurn(() => ask({ kind: "close" }));
      await stop();
    },
  };
}
