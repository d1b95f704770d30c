/**
 * One of two hosts in a process of its own: `node host-child.mjs JSON`. Prints its port once the first host has one, the loss of each step, and how it
 * ended. After step `at` it meets its `fate`: it is interrupted, dies, or hangs.
 */

import { meetHosts, openExecutor, RunError, train } from "../../runtime/index.js";
import { inMemory, recipe, stripes } from "./data.js";
import { tinyProgram } from "./tiny-program.js";

/** What a host is told. */
export interface HostOrder {
  readonly host: number;
  readonly port: number;
  readonly secret: string;
  readonly directory: string;
  readonly seed: number;
  readonly patience: number;
  readonly resume: boolean;
  readonly fate?: { readonly at: number; readonly is: "interrupted" | "killed" | "hung" };
}

const { host, port, secret, directory, seed, patience, resume, fate } = JSON.parse(process.argv[2] ?? "") as HostOrder;
const stop = new AbortController();
function meetFate(): void {
  if (fate?.is === "interrupted") stop.abort();
  if (fate?.is === "killed") process.kill(process.pid, "SIGKILL");
  // Nothing of this thread is done any more.
  if (fate?.is === "hung") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
const say = (kind: string, ...words: readonly unknown[]): void => console.log([kind, ...words].join(" "));
try {
  const hosts = await meetHosts({
    ...{ host, count: 2, address: "127.0.0.1", port, arrival: 300, patience, secret },
    note: () => {},
    listening: (own) => say("port", own),
  });
  const executor = await openExecutor("onnx", () => {}, { threads: 1 });
  const training = recipe(inMemory(stripes(27)), { steps: 6, microBatch: 4, seed });
  const result = await train(tinyProgram(), training, {
    ...{ directory, root: ".", executor, hosts, resume, spec: "", workers: 0 },
    checkpointEvery: {},
    signal: stop.signal,
    report: (event) => {
      if (event.kind !== "step") return;
      say("step", event.step, event.loss);
      if (event.step === fate?.at) meetFate();
    },
  });
  say("end", result.step, result.interrupted, result.checkpoint);
} catch (error) {
  if (!(error instanceof RunError)) throw error;
  say("failed", error.code, error.message);
}
process.exit();
