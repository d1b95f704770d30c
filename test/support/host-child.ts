/**
 * A host in a process of its own, for tests that take it away from the others: `node host-child.mjs JSON`. The first of two prints its port.
 * After step `at` it meets its `fate`: it dies, or hangs.
 */

import { meetHosts, openExecutor, type Training, train } from "../../runtime/index.js";
import { inMemory, recipe, stripes } from "./data.js";
import { tinyProgram } from "./tiny-program.js";

/** What a host is told. */
export interface HostOrder {
  readonly host: number;
  readonly port: number;
  readonly secret: string;
  readonly directory: string;
  readonly changes: Partial<Training>;
  readonly fate: { readonly at: number; readonly is: "killed" | "hung" };
}

const { host, port, secret, directory, changes, fate } = JSON.parse(process.argv[2] ?? "") as HostOrder;
const hosts = await meetHosts({
  ...{ host, count: 2, address: "127.0.0.1", port, arrival: 300, patience: 60, secret },
  note: () => {},
  listening: (own) => console.log(own),
});
const executor = await openExecutor("onnx", () => {}, { threads: 1 });
await train(tinyProgram(), recipe(inMemory(stripes(27)), changes), {
  ...{ directory, root: ".", executor, hosts, resume: false, spec: "", workers: 0 },
  checkpointEvery: {},
  signal: new AbortController().signal,
  report(event) {
    if (event.kind !== "step" || event.step !== fate.at) return;
    if (fate.is === "killed") process.kill(process.pid, "SIGKILL");
    // Nothing of this thread is done any more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
