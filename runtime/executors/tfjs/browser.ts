/** The door for browsers: the same executors on WebGPU, WebGL, WebAssembly and JavaScript. Loads nothing of Node. */

import { RunError } from "../../run-error.js";
import type { Executor } from "../executor.js";
import { cpu } from "./cpu.js";
import { type BackendDefinition, openExecutorOn } from "./engine.js";
import { wasmFrom } from "./wasm.js";
import { webgl } from "./webgl.js";
import { webgpuThrough } from "./webgpu.js";

export type BrowserBackend = "webgpu" | "webgl" | "wasm" | "cpu";

const hasWebgpu = async (): Promise<boolean> =>
  "gpu" in navigator && (await navigator.gpu.requestAdapter().catch(() => null)) !== null;

/** The .wasm files of @tensorflow/tfjs-backend-wasm: the URL of their folder, ending in a slash, or of each by its name. */
export type WasmFiles = string | Readonly<Record<string, string>>;

const definitions = (wasmFiles: WasmFiles): { readonly [B in BrowserBackend]: BackendDefinition } => ({
  webgpu: webgpuThrough(
    async () => {},
    () => {},
  ),
  webgl,
  wasm: wasmFrom(wasmFiles),
  cpu,
});

/** The backends this browser has, best first. */
export async function listInBrowser(): Promise<BrowserBackend[]> {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  const found: BrowserBackend[] = [];
  if (await hasWebgpu()) found.push("webgpu");
  if (context) found.push("webgl");
  return [...found, "wasm", "cpu"];
}

/**
 * Opens an executor in a browser.
 * @throws RunError `run/backend-missing` when the browser does not have it.
 */
export async function openInBrowser(backend: BrowserBackend, wasmFiles: WasmFiles = "./"): Promise<Executor> {
  if (!(await listInBrowser()).includes(backend)) {
    throw new RunError("run/backend-missing", {
      what: `This browser does not offer ${backend}`,
      help: "Use a recent version of Chrome, Edge, Firefox or Safari, with hardware acceleration switched on.",
    });
  }
  return openExecutorOn(definitions(wasmFiles)[backend]);
}
