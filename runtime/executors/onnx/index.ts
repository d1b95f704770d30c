/** The onnx executor: a whole step as one ONNX model on onnxruntime's processor provider, or on its WebGPU provider. */

import type { Executor } from "../executor.js";
import { backendOf, deviceName, type Provider } from "./probe.js";
import { refuseReports } from "./reports.js";
import { openSession } from "./session.js";
import type { Products } from "./settings.js";
import { defaultThreads } from "./threads.js";

export { probeOnnx, probeOnnxWebgpu } from "./probe.js";

export interface ProcessorSettings {
  /** Threads that compute one operation together; without it, one for each core. Sums of floats depend on it. */
  readonly threads?: number;
  /** Whether idle threads wait by spinning: faster on a quiet machine, slower on one with other work. Without it, for a moment. */
  readonly spin?: boolean;
  /** How products of linear layers are computed. Without it as the variable `MAE_ONNX_PRODUCTS` says, or as is faster on this processor. */
  readonly products?: Products | null;
}

/** Microseconds of waiting busily when nobody says: long enough for the gaps within a step, too short to take time from other work. */
const briefly = 50;

const spinOf = (spin: boolean | undefined): number =>
  spin === undefined ? briefly : spin ? Number.POSITIVE_INFINITY : 0;

/** Null where nobody says. */
function productsAsked(): Products | null {
  const asked = process.env.MAE_ONNX_PRODUCTS;
  return asked === "rows" || asked === "blocks" ? asked : null;
}

/**
 * `device`: what a probe called the device; without it, the processor's name.
 * @throws whatever the package throws: ask `probeOnnx` or `probeOnnxWebgpu` first.
 */
export async function openOnnx(
  { threads = defaultThreads(), spin, products = productsAsked() }: ProcessorSettings = {},
  provider: Provider = "cpu",
  device?: string,
): Promise<Executor> {
  refuseReports();
  const { env } = await import("onnxruntime-node");
  return {
    name: "onnx",
    backend: backendOf[provider],
    device: device ?? deviceName(env.versions.node ?? env.versions.common, threads),
    ...(provider === "cpu" ? { threads } : {}),
    open: async (slots, initial) => openSession({ threads, spin: spinOf(spin), provider, products }, slots, initial),
    close: async () => {},
  };
}
