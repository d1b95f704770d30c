/** The backends of TensorFlow.js in Node. Loaded when an executor is opened, never before. */

import { join } from "node:path";
import { packageRoot } from "../../package.js";
import type { Executor } from "../executor.js";
import { cpu } from "./cpu.js";
import { type BackendDefinition, openExecutorOn } from "./engine.js";
import type { NodeBackend } from "./probe.js";
import { tensorflow } from "./tensorflow.js";
import { wasmFrom } from "./wasm.js";
import { webgpuThrough } from "./webgpu.js";

const wasmFolder = join(packageRoot, "dist", "wasm", "/");

/** Dawn as `navigator.gpu`, as TensorFlow.js expects it. */
async function provideWebgpu(): Promise<void> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
}

/** The process cannot end while Dawn is held. */
const releaseWebgpu = (): void => {
  Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
};

const definitions: { readonly [B in NodeBackend]: () => BackendDefinition } = {
  tensorflow: () => tensorflow,
  webgpu: () => webgpuThrough(provideWebgpu, releaseWebgpu),
  wasm: () => wasmFrom(wasmFolder),
  cpu: () => cpu,
};

/** @throws whatever the backend's package throws: ask `probe` first. */
export const openInNode = (backend: NodeBackend): Promise<Executor> => openExecutorOn(definitions[backend]());
