/**
 * Whether onnxruntime is here: the package is an optional peer, its library is not built for every platform, and its
 * WebGPU provider needs a graphics driver.
 */

import { ask, driverRemedy, entryOf, type Probe, withComplaint } from "../attempt.js";
import { createModel } from "./model.js";
import { refuseReports } from "./reports.js";
import { defaultThreads } from "./threads.js";

/** How onnxruntime computes: on the processor, or through the WebGPU provider that its library brings along. */
export type Provider = "cpu" | "webgpu";

/** The names by which they are asked for. */
export const backendOf = { cpu: "onnx", webgpu: "onnx-webgpu" } as const satisfies { readonly [P in Provider]: string };

const missing = (why: string, remedy: string, provider: Provider = "cpu"): Probe => ({
  executor: "onnx",
  backend: backendOf[provider],
  present: false,
  accelerated: false,
  why,
  remedy,
});

/** Its script, which needs more than npm, fetches what we do not use; the factor is that of `docs/performance.md`. */
const install =
  "npm install --ignore-scripts onnxruntime-node@1 makes training six to nine times as fast as wasm. (Its install script would " +
  "fetch CUDA libraries, which are not needed, from outside npm.)";

/** The first version that the package allows, major and minor. */
const oldest = [1, 30] as const;

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

/** Loads the library in a process of its own. */
export async function probeOnnx(): Promise<Probe> {
  const entry = entryOf("onnxruntime-node");
  if (entry === undefined) {
    return missing("the optional package onnxruntime-node is not installed", install);
  }
  refuseReports();
  const answer = await ask(
    `try {
       const { env } = await import(${JSON.stringify(entry)});
       answer(env.versions.node ?? env.versions.common);
     } catch (error) {
       console.error(String(error.message).split("\\n")[0]);
       process.exit(1);
     }`,
    20,
  );
  if (answer.kind === "failed") {
    const remedy = `It exists for x64 and arm64 on Windows, macOS and Linux with glibc; on these, again: ${install}`;
    return missing(withComplaint(`its library does not load, ${answer.why}`, answer.complaints), remedy);
  }
  const version = JSON.parse(answer.text) as string;
  if (isOlder(version)) {
    return missing(`onnxruntime-node ${version} is installed, and ${oldest.join(".")} or newer is needed`, install);
  }
  return {
    executor: "onnx",
    backend: "onnx",
    present: true,
    accelerated: false,
    device: deviceName(version, defaultThreads()),
  };
}

/** "onnxruntime 1.30.0, 2 threads" */
export const deviceName = (version: string, threads: number): string =>
  `onnxruntime ${version}, ${threads} thread${threads === 1 ? "" : "s"}`;

/** y = x + x, to see whether a provider runs it. */
function smallestModel(): Uint8Array {
  const m = createModel();
  m.input("x", "float32", [2]);
  m.output(m.op("Add", ["x", "x"]), "float32", [2]);
  return m.encode();
}

/** Errors of onnxruntime begin with file, line and condition; what happened is told after them. */
const plainReason = (why: string): string => why.replace(/^.* was false\. /, "").replace(/[.:\s]+$/, "");

/** Runs a model of one node on the provider, in a process of its own. `name` is asked for the name of the device. */
export async function probeOnnxWebgpu(name: () => Promise<string | undefined>): Promise<Probe> {
  const processor = await probeOnnx();
  const { why = "", remedy = "" } = processor;
  if (!processor.present) return missing(why, remedy, "webgpu");
  const model = Buffer.from(smallestModel()).toString("base64");
  const answer = await ask(
    `const { env, InferenceSession, listSupportedBackends, Tensor } = await import(${JSON.stringify(entryOf("onnxruntime-node"))});
     if (!listSupportedBackends().some(({ name }) => name === "webgpu")) answer({ why: "its library for this platform has no WebGPU provider" });
     else try {
       const model = Buffer.from("${model}", "base64");
       const session = await InferenceSession.create(model, { executionProviders: ["webgpu"], logSeverityLevel: 4 });
       const results = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2), [2]) });
       const [y] = Object.values(results)[0].data;
       answer(y === 2 ? { version: env.versions.node ?? env.versions.common } : { why: "its WebGPU provider computes wrongly" });
     } catch (error) {
       answer({ why: String(error.message) });
     }`,
    60,
  );
  if (answer.kind === "failed") return missing(withComplaint(answer.why, answer.complaints), driverRemedy, "webgpu");
  const found = JSON.parse(answer.text) as { readonly version?: string; readonly why?: string };
  if (found.why !== undefined) return missing(plainReason(found.why), driverRemedy, "webgpu");
  const device = (await name()) ?? "an unnamed device";
  return {
    executor: "onnx",
    backend: backendOf.webgpu,
    present: true,
    accelerated: false,
    device: `onnxruntime ${found.version} through WebGPU on ${device}`,
  };
}
