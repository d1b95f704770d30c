/** The worker thread of an onnx session: answers the requests of `session.ts` one after another. Built as a door of its own. */

import { parentPort, workerData } from "node:worker_threads";
import type { StateSlot, TypedArray, Values } from "../../../graph/index.js";
import { type Host, openHost, type Settings } from "./host.js";
import type { Plan } from "./plan.js";

/** What a worker is started with. */
export interface Setup {
  readonly settings: Settings;
  readonly slots: readonly StateSlot[];
  readonly initial: Values;
}

export type Request =
  | { readonly kind: "load"; readonly plan: Plan }
  | { readonly kind: "run"; readonly loaded: number; readonly feeds: Values }
  | { readonly kind: "read"; readonly names: readonly string[] }
  | { readonly kind: "write"; readonly values: Values }
  | { readonly kind: "memory" }
  | { readonly kind: "close" };

export interface Call {
  readonly id: number;
  readonly request: Request;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

function answer(host: Host, request: Request): unknown {
  switch (request.kind) {
    case "load":
      return host.load(request.plan);
    case "run":
      return host.run(request.loaded, request.feeds);
    case "read":
      return host.read(request.names);
    case "write":
      return host.write(request.values);
    case "memory":
      return host.memory();
    case "close":
      return host.close();
  }
}

/** Buffers that are handed over instead of copied. */
const buffersOf = (result: unknown): ArrayBuffer[] =>
  typeof result === "object" && result !== null
    ? Object.values(result as Record<string, TypedArray>)
        .filter((value) => ArrayBuffer.isView(value))
        .map((value) => value.buffer as ArrayBuffer)
    : [];

const port = parentPort;
if (port) {
  const { settings, slots, initial } = workerData as Setup;
  const opened = import("onnxruntime-node").then((ort) => openHost(ort, settings, slots, initial));
  let turn: Promise<unknown> = opened;
  port.on("message", ({ id, request }: Call) => {
    const done = turn.then(async () => answer(await opened, request));
    turn = done.then(
      (result) => port.postMessage({ id, result } satisfies Answer, buffersOf(result)),
      (error: unknown) =>
        port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer),
    );
  });
}
