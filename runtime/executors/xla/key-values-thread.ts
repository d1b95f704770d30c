/**
 * A thread that waits for values under keys, in the place of one of the plugin's. It asks the main thread, and gives the plugin a copy that the
 * plugin frees. Built as a door of its own.
 */

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Address, loadKoffi } from "./c-api.js";
import {
  type Answer,
  callbackOf,
  type Given,
  type Outcome,
  type Question,
  type Setup,
  textIn,
} from "./key-values-calls.js";

const { port, answered } = workerData as Setup;
const koffi = loadKoffi();
const system = koffi.load(null);
const allocate = system.func("void *malloc(size_t size)");
const free = koffi.address(system.symbol("free")) as Address;

function getValue(given: Given): Outcome {
  const key = textIn(given.bytes("key", "key_size"));
  const { patience } = given;
  Atomics.store(answered, 0, 0);
  parentPort?.postMessage({ key, patience } satisfies Question);
  Atomics.wait(answered, 0, 0);
  const answer = receiveMessageOnPort(port)?.message as Answer;
  if ("failure" in answer) return { code: 14, message: answer.failure };
  const { value } = answer;
  if (value === null)
    return patience > 0
      ? { code: 4, message: `no host put a value under ${key} within ${patience} ms` }
      : { code: 5, message: `no host has put a value under ${key}` };
  const copy = allocate(Math.max(1, value.length)) as Address;
  new Uint8Array(koffi.view(copy, value.length)).set(value);
  given.set("value", copy);
  given.set("value_size", BigInt(value.length));
  given.set("deleter", free);
  return null;
}

parentPort?.postMessage({
  get: callbackOf(koffi, "get", getValue).address,
  tryGet: callbackOf(koffi, "tryGet", getValue).address,
});
// A thread with nothing to do would end, and its functions with it.
setInterval(() => {}, 2 ** 30);
