/**
 * TensorFlow's own library through @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node, where the user has installed one
 * of them. We never depend on them: they download their library when they are installed, and not every machine can. Graphs
 * run there as a whole (`tensorflow-session.ts`).
 */

import util from "node:util";
import { type BackendDefinition, builtIn } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { plain } from "./lowering.js";
import { tensorflowPackages } from "./probe.js";
import { openGraphSession } from "./tensorflow-session.js";
import type { TensorflowBackend } from "./tensorflow-tape.js";

/** Node 23 removed this function, which release 4.22 of the packages still calls. */
function restoreIsNullOrUndefined(): void {
  if ("isNullOrUndefined" in util) return;
  Object.defineProperty(util, "isNullOrUndefined", { value: (x: unknown) => x === null || x === undefined });
}

/** Loads the first package that can be loaded. */
async function load(): Promise<void> {
  restoreIsNullOrUndefined();
  // Warnings and worse; of a model that is loaded it would tell four lines.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
  let failure: unknown;
  for (const name of tensorflowPackages) {
    try {
      await import(name);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export const tensorflow: BackendDefinition = {
  name: "tensorflow",
  kernels: kernelsOf(plain),
  openSession: (backend, instance, slots, initial) =>
    openGraphSession(backend, instance as TensorflowBackend, slots, initial),
  make: async () => {
    await load();
    const instance = (await builtIn("tensorflow")) as TensorflowBackend;
    const place = instance.isUsingGpuDevice ? "GPU" : "CPU";
    return { instance, device: `TensorFlow ${instance.binding.TF_Version} on the ${place}` };
  },
};
