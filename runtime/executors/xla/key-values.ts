/**
 * The functions that a plugin calls to find the plugins of other hosts. It gets and puts values under keys on threads of its own, and waits in these
 * functions. The main thread has to hear the other hosts meanwhile, so the thread of `key-values-thread.ts` waits. Calls into the plugin that may need
 * the functions must run on threads of their own. Where values are stored is left to `hosts/`.
 */

import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import type { KeyValues } from "../../hosts/key-values.js";
import { packageRoot } from "../../package.js";
import { reasonOf } from "../../run-error.js";
import { type Address, loadKoffi } from "./c-api.js";
import { type Answer, callbackOf, type Question, type Setup, textIn } from "./key-values-calls.js";

export interface KeyValueFunctions {
  readonly get: Address;
  readonly tryGet: Address;
  readonly put: Address;
  /** To be called when the plugin no longer calls them. */
  close(): Promise<void>;
}

export async function keyValueFunctions(store: KeyValues): Promise<KeyValueFunctions> {
  const koffi = loadKoffi();
  const { port1: near, port2: far } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(join(packageRoot, "dist", "xla-key-values.js"), {
    workerData: { port: far, answered } satisfies Setup,
    transferList: [far],
  });
  worker.unref();
  const reply = (answer: Answer): void => {
    near.postMessage(answer);
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  };
  const { get, tryGet } = await new Promise<Pick<KeyValueFunctions, "get" | "tryGet">>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", resolve);
  });
  worker.on("message", ({ key, patience }: Question) => {
    store.get(key, patience).then(
      (value) => reply({ value }),
      (error) => reply({ failure: reasonOf(error) }),
    );
  });
  const put = callbackOf(koffi, "put", (given) => {
    const value = given.bytes("value", "value_size");
    store.put(textIn(given.bytes("key", "key_size")), value);
    return null;
  });
  return {
    get,
    tryGet,
    put: put.address,
    async close() {
      put.release();
      near.close();
      await worker.terminate();
    },
  };
}
