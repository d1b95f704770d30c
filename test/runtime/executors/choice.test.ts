/** Which executor `auto` takes, and what is said about those that are not here. */

import { expect, it } from "vitest";
import { chooseFrom, listExecutors, openExecutor } from "../../../runtime/executors/index.js";

const probe = (backend: string, present: boolean, accelerated: boolean, device = "a device") =>
  present
    ? { executor: "tfjs", backend, present, accelerated, device }
    : { executor: "tfjs", backend, present, accelerated, why: "it is not installed", remedy: "Install it." };

const processors = [probe("wasm", true, false), probe("cpu", true, false)];

it("prefers TensorFlow on a GPU, then WebGPU on a card, then wasm", () => {
  const card = probe("webgpu", true, true, "NVIDIA H200");
  expect(chooseFrom([probe("tensorflow", true, true), card, ...processors]).backend).toBe("tensorflow");
  expect(chooseFrom([probe("tensorflow", true, false), card, ...processors])).toEqual({
    backend: "webgpu",
    reason: "webgpu: NVIDIA H200",
  });
  expect(chooseFrom([probe("cpu", true, false), probe("wasm", false, false)]).backend).toBe("cpu");
});

it("does not take a software rasterizer for a GPU, and says so", () => {
  const { backend, reason } = chooseFrom([
    probe("tensorflow", false, false),
    probe("webgpu", true, false, "SwiftShader"),
    ...processors,
  ]);
  expect(backend).toBe("wasm");
  expect(reason).toBe(
    "wasm, because no GPU was found (tensorflow: it is not installed; webgpu: SwiftShader is no GPU)",
  );
});

it("takes onnx where no GPU is, and says what to do where onnx is missing", () => {
  const without = [probe("tensorflow", false, false), probe("webgpu", false, false), ...processors];
  expect(chooseFrom([...without, probe("onnx", true, false)]).backend).toBe("onnx");
  const { backend, offer } = chooseFrom([...without, probe("onnx", false, false)]);
  expect(backend).toBe("wasm");
  expect(offer).toBe("the faster onnx is not here: it is not installed. Install it.");
});

it("takes a backend that computes in the number format of the recipe, or says what to install", () => {
  const xla = { ...probe("xla", true, false, "one processor"), precisions: ["bfloat16"] as const };
  const others = [...processors, probe("onnx", true, false)];
  expect(chooseFrom([...others, xla], "bfloat16")).toEqual({
    backend: "xla",
    reason: "xla, because the recipe asks for bfloat16: one processor",
  });
  const without = (): unknown => chooseFrom([...others, probe("xla", false, false)], "bfloat16");
  expect(without).toThrow("No backend here trains in bfloat16");
});

it("lists every backend with its device, or with why not and what to do", async () => {
  const found = await listExecutors();
  expect(found.map(({ backend }) => backend)).toEqual([
    "tensorflow",
    "webgpu",
    "xla",
    "onnx",
    "onnx-webgpu",
    "wasm",
    "cpu",
    "webgl",
  ]);
  for (const { present, device, why, remedy } of found) {
    expect(present ? [device] : [why, remedy]).not.toContain(undefined);
  }
});

it("opens what auto chose and tells why", async () => {
  const told: string[] = [];
  const executor = await openExecutor("auto", (reason) => told.push(reason));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(executor.backend);
  await executor.close();
});

const tensorflow = (await listExecutors()).find(({ backend }) => backend === "tensorflow");

it.skipIf(tensorflow?.present)("explains why a backend that was asked for is not here", async () => {
  await expect(openExecutor("tensorflow")).rejects.toMatchObject({
    name: "RunError",
    code: "run/backend-missing",
    why: tensorflow?.why,
  });
});
