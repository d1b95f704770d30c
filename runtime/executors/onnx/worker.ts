/** The worker thread of an onnx session: answers the requests of `session.ts`, which sends one at a time. Built as a door of its own. */

import { parentPort, workerData } from "node:worker_threads";
import type { StateSlot, TypedArray, Values } from "../../../graph/index.js";
import { reasonOf } from "../../run-error.js";
import { type Host, type HostMemory, openHost } from "./host.js";
import type { Plan } from "./plan.js";
import type { Runtime, Settings } from "./settings.js";
import type { Load } from "./staging.js";

/** What a worker is started with. */
export interface Setup {
  readonly settings: Settings;
  readonly slots: readonly StateSlot[];
}

export type Request =
  /** The answer is the size of the library's blocks, or null. */
  | { readonly kind: "block" }
  /** The answer is whether products are to be computed in blocks of this size. */
  | { readonly kind: "products"; readonly block: number }
  | { readonly kind: "load"; readonly plan: Plan }
  | { readonly kind: "run"; readonly loaded: number; readonly feeds: Values }
  | { readonly kind: "read"; readonly names: readonly string[] }
  /** The answer is the buffer. */
  | { readonly kind: "write"; readonly values: Load }
  | { readonly kind: "close" };

export interface Call {
  readonly id: number;
  readonly request: Request;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
  /** Held after the request; absent where the session did not even open. */
  readonly held?: HostMemory;
}

interface Opened {
  readonly ort: Runtime;
  readonly settings: Settings;
  readonly host: Host;
}

async function answer({ ort, settings, host }: Opened, request: Request): Promise<unknown> {
  switch (request.kind) {
    case "block":
      return (await import("./products.js")).blockSize(ort, settings);
    case "products":
      return (await import("./products.js")).areFasterInBlocks(ort, settings, request.block);
    case "load":
      return host.load(request.plan);
    case "run":
      return host.run(request.loaded, request.feeds);
    case "read":
      return host.read(request.names);
    case "write":
      return host.write(request.values);
    case "close":
      return host.close();
  }
}

/** Buffers that are handed over instead of copied. */
const buffersOf = (result: unknown): ArrayBuffer[] =>
  result instanceof ArrayBuffer
    ? [result]
    : typeof result === "object" && result !== null
      ? Object.values(result as Record<string, TypedArray>)
          .filter((value) => ArrayBuffer.isView(value))
          .map((value) => value.buffer as ArrayBuffer)
      : [];

const port = parentPort;
if (port) {
  const { settings, slots } = workerData as Setup;
  const opened = import("onnxruntime-node").then((ort) => ({ ort, settings, host: openHost(ort, settings, slots) }));
  const reply = async ({ id, request }: Call): Promise<void> => {
    try {
      const session = await opened;
      const result = await answer(session, request);
      port.postMessage({ id, result, held: session.host.memory() } satisfies Answer, buffersOf(result));
    } catch (error) {
      port.postMessage({ id, error: reasonOf(error) } satisfies Answer);
    }
  };
  port.on("message", (call: Call) => void reply(call));
}
