/**
 * The GPU backends on devices that compute on the processor: WebGPU in Node, WebGPU and WebGL in headless Chromium.
 * Slow devices, so small shapes; what passes here has run the same shaders that a card would run.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { openExecutor } from "../../runtime/executors/index.js";
import type { Report } from "../runtime/executors/report.js";
import { train } from "../runtime/executors/training.js";
import { bundleForNode, bundleForPage, removeBundle } from "../support/bundle.js";
import { openPage } from "./open-page.js";
import { steps } from "./selection.js";
import { findChromium, findVulkan } from "./software-device.js";

const browser = findChromium();
const vulkan = findVulkan();
const minutes = 60_000;

async function lossesOnWasm(): Promise<readonly number[]> {
  const executor = await openExecutor("wasm");
  const { losses } = await train(executor, steps);
  await executor.close();
  return losses;
}

type Outcome = Report | { readonly missing: string };

async function expectAgreement(report: Outcome, context: TestContext): Promise<void> {
  if ("missing" in report) {
    console.log(`${context.task.name}: skipped, ${report.missing}`);
    context.skip(report.missing);
  }
  console.log(`${report.backend} on ${report.device}: ${report.compared} cases`);
  expect(report.findings).toEqual([]);
  const expected = await lossesOnWasm();
  expect(report.losses).toHaveLength(steps);
  for (const [i, loss] of report.losses.entries()) {
    expect(Math.abs(loss - (expected[i] as number)) / (expected[i] as number)).toBeLessThan(1e-4);
  }
  expect(new Set(report.tensors).size).toBe(1);
}

describe("WebGPU in Node", () => {
  if ("missing" in vulkan) {
    console.log(`WebGPU in Node: skipped, ${vulkan.missing}`);
    it.skip(`no software device: ${vulkan.missing}`, () => {});
    return;
  }
  it.for([["webgpu"], ["onnx-webgpu"]] as const)(
    "%s agrees with the reference and trains as wasm does",
    { timeout: 4 * minutes },
    async ([name], context) => {
      const module = await bundleForNode("browser/report-in-node.ts");
      try {
        const env = { ...process.env, ...vulkan.found };
        const { stdout } = await promisify(execFile)(process.execPath, [module, name], { env, maxBuffer: 2 ** 24 });
        await expectAgreement(JSON.parse(stdout) as Outcome, context);
      } finally {
        await removeBundle(module);
      }
    },
  );
});

describe("Chromium", () => {
  if ("missing" in browser) {
    console.log(`WebGPU and WebGL in Chromium: skipped, ${browser.missing}`);
    it.skip(`no browser: ${browser.missing}`, () => {});
    return;
  }
  let opened: Awaited<ReturnType<typeof openPage>>;

  beforeAll(async () => {
    opened = await openPage(browser.found, { "page.js": await bundleForPage("browser/page.ts") });
    await opened.page.waitForFunction(() => "reportOn" in globalThis);
  });
  afterAll(() => opened?.close());

  // WebGPU ran all cases in Node, on the same implementation; here it is the browser's way to it that is tried.
  it.for([
    ["webgpu", 12],
    ["webgl", 3],
  ] as const)(
    "%s agrees with the reference and trains as wasm does",
    { timeout: 4 * minutes },
    async ([backend, stride], context) => {
      const report = await opened.page.evaluate(([name, every]) => globalThis.reportOn(name, every), [
        backend,
        stride,
      ] as const);
      await expectAgreement(report, context);
    },
  );
});
