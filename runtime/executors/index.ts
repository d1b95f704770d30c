/**
 * The door to executors: what is here, and opening one. Loads TensorFlow.js or onnxruntime only when an executor is opened.
 */

import type { Precision } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Probe } from "./attempt.js";
import type { Availability, Executor } from "./executor.js";
import { openOnnx, type ProcessorSettings, probeOnnx, probeOnnxWebgpu } from "./onnx/index.js";
import type { NodeBackend } from "./tfjs/probe.js";
import { probes as tfjsProbes, webglInNode } from "./tfjs/probe.js";
import { openXla, probeXla, type XlaSettings } from "./xla/index.js";

export type { Availability, ComputingDevices, Executor, Runner, Session } from "./executor.js";
export { machineMemory } from "./machine-memory.js";
export { fetchPlugin, type KnownPlugin, knownPlugins } from "./xla/fetch-plugin.js";
export { type FoundPlugin, fetchedPlugins, findPlugin } from "./xla/plugins.js";

/** The backends that can be asked for by name in Node. */
export type Backend = NodeBackend | "onnx" | "onnx-webgpu" | "xla";

/** Threads and spinning are settings of `onnx`. Devices, collectives and the limit of compiling are settings of `xla`. */
export interface ExecutorSettings extends ProcessorSettings, XlaSettings {
  /** That the recipe asks for: `auto` takes a backend that computes in it. */
  readonly precision?: Precision;
}

/** Best first; `auto` takes the first that has a GPU, and without one the first processor backend. */
const order: readonly Backend[] = ["tensorflow", "webgpu", "xla", "onnx", "wasm", "cpu"];

/** All that can be asked for, in the order in which they are listed. `onnx-webgpu` only when it is. */
const listed: readonly Backend[] = ["tensorflow", "webgpu", "xla", "onnx", "onnx-webgpu", "wasm", "cpu"];

const probes: { readonly [B in Backend]: () => Promise<Probe> } = {
  ...tfjsProbes,
  onnx: probeOnnx,
  // Both reach the graphics card through Dawn, and only the other tells its name.
  xla: probeXla,
  "onnx-webgpu": () => probeOnnxWebgpu(async () => (await tfjsProbes.webgpu()).device),
};

/** Every way of executing, present or not, with the device or with why not and what to do. Never throws. */
export async function listExecutors(): Promise<Availability[]> {
  const found = await Promise.all(listed.map((backend) => probes[backend]()));
  return [...found, webglInNode].map(({ accelerated: _, ...availability }) => availability);
}

export interface Choice {
  readonly backend: Backend;
  /** Why this one, in a sentence. */
  readonly reason: string;
  /** What to install for a faster one, where that is known. */
  readonly offer?: string;
}

/**
 * Picks from what was found, in the order of preference.
 * @throws RunError `run/precision` where none computes in the number format that is asked for
 */
export function chooseFrom(found: readonly Probe[], precision?: Precision): Choice {
  if (precision !== undefined) return chooseFor(precision, found);
  const byName = (backend: Backend): Probe | undefined => found.find((probe) => probe.backend === backend);
  const accelerated = order.find((backend) => byName(backend)?.accelerated);
  if (accelerated) return { backend: accelerated, reason: `${accelerated}: ${byName(accelerated)?.device}` };
  const backend = (["onnx", "wasm"] as const).find((name) => byName(name)?.present) ?? "cpu";
  const others = found
    .filter((probe) => probe.backend === "tensorflow" || probe.backend === "webgpu")
    .map((probe) => `${probe.backend}: ${probe.present ? `${probe.device} is no GPU` : probe.why}`);
  const reason = `${backend}, because no GPU was found (${others.join("; ")})`;
  const onnx = byName("onnx");
  if (!onnx || onnx.present) return { backend, reason };
  return { backend, reason, offer: `the faster onnx is not here: ${onnx.why}. ${onnx.remedy}` };
}

function chooseFor(precision: Precision, found: readonly Probe[]): Choice {
  const one = found.find(({ present, precisions }) => present && precisions?.includes(precision));
  if (one)
    return {
      backend: one.backend as Backend,
      reason: `${one.backend}, because the recipe asks for ${precision}: ${one.device}`,
    };
  const xla = found.find(({ backend }) => backend === "xla");
  throw new RunError("run/precision", {
    what: `No backend here trains in ${precision}`,
    ...(xla?.why === undefined ? {} : { why: `xla, which does, is not here: ${xla.why}` }),
    help: `${xla?.remedy ?? ""} Or leave \`precision\` out of the recipe.`.trimStart(),
  });
}

/** The backend that `auto` stands for on this machine. Throws as `chooseFrom` does. */
export const chooseBackend = async (precision?: Precision): Promise<Choice> =>
  chooseFrom(await Promise.all(order.map((backend) => probes[backend]())), precision);

function missingBackend(probe: Probe): RunError {
  return new RunError("run/backend-missing", {
    what: `The backend ${probe.backend} is not available here`,
    ...(probe.why === undefined ? {} : { why: probe.why }),
    help: `${probe.remedy ?? ""} \`mae doctor\` lists the backends of this machine.`.trimStart(),
  });
}

const oneDevice = (backend: Backend): RunError =>
  new RunError("run/devices", {
    what: `The backend ${backend} computes on one device`,
    help: "Several compute together with the backend xla.",
  });

const noCollectives = (backend: Backend): RunError =>
  new RunError("run/hosts", {
    what: `The backend ${backend} does not reach devices of other hosts`,
    help: "Leave `--collectives` out: gradients are summed through the first host then. The backend xla reaches them on GPUs.",
  });

/**
 * Opens an executor. With `auto`, `tell` hears which backend was taken, why, and what would be faster. `settings` are used
 * by `onnx` and `xla`.
 * @throws RunError `run/backend-missing` when the one asked for is not here, `run/devices` when it has fewer devices, `run/hosts` when
 * its devices do not reach those of other hosts, saying why and what to do.
 */
export async function openExecutor(
  choice: "auto" | Backend,
  tell: (reason: string, offer?: string) => void = () => {},
  settings: ExecutorSettings = {},
): Promise<Executor> {
  if (choice !== "auto" && !listed.includes(choice)) {
    throw new RunError("run/backend-missing", {
      what: `There is no backend ${choice}`,
      help: `The backends are ${listed.join(", ")}, and auto takes the best that is here.`,
    });
  }
  const backend = choice === "auto" ? await chooseBackend(settings.precision) : undefined;
  if (backend) tell(backend.reason, backend.offer);
  const name = backend?.backend ?? (choice as Backend);
  const probe = backend ? undefined : await probes[name]();
  if (probe && !probe.present) throw missingBackend(probe);
  if (name === "xla") return openXla(settings);
  if (settings.collectives) throw noCollectives(name);
  if ((settings.devices ?? 1) > 1) throw oneDevice(name);
  if (name === "onnx-webgpu") return openOnnx(settings, "webgpu", probe?.device);
  if (name === "onnx") return openOnnx(settings);
  const { openInNode } = await import("./tfjs/node.js");
  return openInNode(name);
}
