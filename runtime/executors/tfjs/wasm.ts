/** The WebAssembly backend: one thread with SIMD, no GPU. The default where there is no other. */

import * as tf from "@tensorflow/tfjs-core";
import { type BackendDefinition, builtIn } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { wasm } from "./wasm-lowering.js";

/** @param files where the package's .wasm files are: a path or URL of their folder, ending in a slash, or the URL of each by its name. */
export const wasmFrom = (files: string | Readonly<Record<string, string>>): BackendDefinition => ({
  name: "wasm",
  kernels: kernelsOf(wasm),
  make: async () => {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(files);
    const instance = await builtIn("wasm");
    const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
    return { instance, device: simd ? "WebAssembly SIMD, 1 thread" : "WebAssembly without SIMD, 1 thread" };
  },
});
