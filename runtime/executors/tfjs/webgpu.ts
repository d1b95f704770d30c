/** WebGPU on a device that we ask for ourselves, so that its failures reach the caller. For browsers and Node alike. */

import { describeAdapter } from "./adapter.js";
import type { BackendDefinition, Made } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { webgpu } from "./lowering.js";
import { withFused } from "./webgpu-fused.js";
import { fuse } from "./webgpu-steps.js";

/** TensorFlow.js asks for these at their largest; the defaults of WebGPU are made for phones. */
const limits = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
] as const;

async function make(release: () => void): Promise<Made> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("no adapter, though one was there when it was looked for");
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  let failure: string | undefined;
  let released = false;
  device.addEventListener("uncapturederror", (event) => {
    failure ??= event.error.message;
  });
  void device.lost.then(({ message, reason }) => {
    if (!released) failure ??= message || reason;
  });
  // With the package, which only those load who use it.
  const { PartsBackend } = await import("./webgpu-backend.js");
  return {
    instance: new PartsBackend(device, adapter.info),
    device: describeAdapter(adapter.info),
    failure: () => failure,
    release: () => {
      released = true;
      device.destroy();
      release();
    },
  };
}

/**
 * @param provide makes `navigator.gpu` where the platform has none.
 * @param release takes it away again.
 */
export const webgpuThrough = (provide: () => Promise<void>, release: () => void): BackendDefinition => ({
  name: "webgpu",
  kernels: withFused(kernelsOf(webgpu)),
  fuse,
  flags: { WEBGPU_CPU_FORWARD: false },
  make: async () => {
    await provide();
    return make(release);
  },
});
