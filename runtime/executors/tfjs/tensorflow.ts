/**
 * TensorFlow's own library through @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node, where the user has installed one
 * of them. We never depend on them: they download their library when they are installed, and not every machine can.
 */

import util from "node:util";
import type { KernelBackend } from "@tensorflow/tfjs-core";
import { type BackendDefinition, builtIn } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { plain } from "./lowering.js";
import { tensorflowPackages } from "./probe.js";

/** What the package adds to the backend that it registers. */
interface TensorflowBackend extends KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** Node 23 removed this function, which release 4.22 of the packages still calls. */
function restoreIsNullOrUndefined(): void {
  if ("isNullOrUndefined" in util) return;
  Object.defineProperty(util, "isNullOrUndefined", { value: (x: unknown) => x === null || x === undefined });
}

/** Loads the first package that can be loaded. */
async function load(): Promise<void> {
  restoreIsNullOrUndefined();
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
  make: async () => {
    await load();
    const instance = (await builtIn("tensorflow")) as TensorflowBackend;
    const place = instance.isUsingGpuDevice ? "GPU" : "CPU";
    return { instance, device: `TensorFlow ${instance.binding.TF_Version} on the ${place}` };
  },
};
