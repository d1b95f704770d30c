/** Whether onnxruntime is here: the package is an optional dependency, and its library is not built for every platform. */

import { ask, entryOf, type Probe, withComplaint } from "../attempt.js";
import { defaultThreads } from "./threads.js";

const missing = (why: string, remedy: string): Probe => ({
  executor: "onnx",
  backend: "onnx",
  present: false,
  accelerated: false,
  why,
  remedy,
});

/** Loads the library in a process of its own. */
export async function probeOnnx(): Promise<Probe> {
  const entry = entryOf("onnxruntime-node");
  if (entry === undefined) {
    return missing("the optional package onnxruntime-node is not installed", "npm install onnxruntime-node");
  }
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
    const remedy =
      "It exists for x64 and arm64 on Windows, macOS and Linux with glibc; on these: npm install onnxruntime-node again.";
    return missing(withComplaint(`its library does not load, ${answer.why}`, answer.complaints), remedy);
  }
  return {
    executor: "onnx",
    backend: "onnx",
    present: true,
    accelerated: false,
    device: deviceName(JSON.parse(answer.text) as string, defaultThreads()),
  };
}

/** "onnxruntime 1.30.0, 2 threads" */
export const deviceName = (version: string, threads: number): string =>
  `onnxruntime ${version}, ${threads} thread${threads === 1 ? "" : "s"}`;
