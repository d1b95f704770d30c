/** Which backends of TensorFlow.js this machine has, without loading it and without trusting drivers. */

import { ask, driverRemedy, entryOf, type Probe, withComplaint } from "../attempt.js";
import { type AdapterWords, describeAdapter, isSoftware } from "./adapter.js";

export type NodeBackend = "tensorflow" | "webgpu" | "wasm" | "cpu";

/** In the order in which they are tried. */
export const tensorflowPackages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

const missing = (backend: string, why: string, remedy: string): Probe => ({
  executor: "tfjs",
  backend,
  present: false,
  accelerated: false,
  why,
  remedy,
});

const present = (backend: string, device: string, accelerated: boolean): Probe => ({
  executor: "tfjs",
  backend,
  present: true,
  accelerated,
  device,
});

async function probeWebgpu(): Promise<Probe> {
  const entry = entryOf("webgpu");
  if (!entry) {
    const remedy = "npm install webgpu@0.6.2 reaches graphics cards (through Dawn, 135 MB).";
    return missing("webgpu", "the optional package webgpu is not installed", remedy);
  }
  const answer = await ask(
    `const { create } = await import(${JSON.stringify(entry)});
     const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
     if (adapter) await adapter.requestDevice();
     const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
     answer(adapter ? { vendor, architecture, device, description, isFallbackAdapter } : null);`,
    20,
  );
  if (answer.kind === "failed") return missing("webgpu", withComplaint(answer.why, answer.complaints), driverRemedy);
  const adapter = JSON.parse(answer.text) as AdapterWords | null;
  if (!adapter) return missing("webgpu", "no graphics driver offers an adapter", driverRemedy);
  return present("webgpu", describeAdapter(adapter), !isSoftware(adapter));
}

const tensorflowRemedy =
  "npm install @tensorflow/tfjs-node-gpu@4.22.0 (NVIDIA with CUDA 11.2 and cuDNN 8.1; Node 20 or 22), or " +
  "@tensorflow/tfjs-node@4.22.0 for the processor.";

async function probeTensorflow(): Promise<Probe> {
  const entries = tensorflowPackages.map(entryOf).filter((entry) => entry !== undefined);
  if (entries.length === 0) {
    return missing("tensorflow", "neither tfjs-node-gpu nor tfjs-node is installed", tensorflowRemedy);
  }
  const answer = await ask(
    `const util = (await import("node:util")).default;
     util.isNullOrUndefined ??= (x) => x === null || x === undefined;
     for (const entry of ${JSON.stringify(entries)}) {
       try {
         const { default: tf } = await import(entry);
         await tf.ready();
         const { isUsingGpuDevice, binding } = tf.backend();
         answer({ gpu: isUsingGpuDevice, version: binding.TF_Version });
         break;
       } catch (error) {
         console.error(error.message.split("\\n")[0]);
         process.exitCode = 1;
       }
     }`,
    60,
  );
  if (answer.kind === "failed") {
    return missing("tensorflow", withComplaint(answer.why, answer.complaints), tensorflowRemedy);
  }
  const { gpu, version } = JSON.parse(answer.text) as { gpu: boolean; version: string };
  return present("tensorflow", `TensorFlow ${version} on the ${gpu ? "GPU" : "CPU"}`, gpu);
}

export const probes: { readonly [B in NodeBackend]: () => Promise<Probe> } = {
  tensorflow: probeTensorflow,
  webgpu: probeWebgpu,
  wasm: async () => present("wasm", "WebAssembly SIMD, 1 thread", false),
  cpu: async () => present("cpu", "JavaScript, 1 thread", false),
};

/** A backend that exists, but not in Node. */
export const webglInNode: Probe = missing(
  "webgl",
  "WebGL exists in browsers only",
  "In Node use webgpu, which reaches the same cards.",
);
